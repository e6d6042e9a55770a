import { WarehouseContext, type WarehouseUnderTest } from './warehouse-context.js';
import { keepTests } from './warehouse-keep.js';
import { loadingTests } from './warehouse-loading.js';
import { migrateTests } from './warehouse-migrate.js';
import { readingTests } from './warehouse-reading.js';
import { refusedTests } from './warehouse-refused.js';
import { rejectionsTests } from './warehouse-rejections.js';
import { replaceTests } from './warehouse-replace.js';
import { valuesTests } from './warehouse-values.js';

export interface WarehouseContract {
  readonly name: string;
  readonly start: () => Promise<WarehouseUnderTest>;
  /** Tests by name that the implementation cannot pass, and why. */
  readonly skip?: readonly { readonly reason: string; readonly tests: readonly string[] }[];
}

/** What every warehouse does alike. */
export function warehouseContract({ name, start, skip = [] }: WarehouseContract): void {
  describe(`${name} is a warehouse`, () => {
    const context = new WarehouseContext((what, body) => {
      const skipped = skip.find(({ tests }) => tests.includes(what));
      it(skipped === undefined ? what : `${what} (left out: ${skipped.reason})`, async () => {
        if (skipped === undefined) await body();
      });
    });
    beforeAll(async () => {
      context.subject = await start();
      context.warehouse = context.subject.open();
    });
    afterAll(async () => {
      await context.warehouse.close();
      await context.subject.close();
    });

    keepTests(context);
    rejectionsTests(context);
    replaceTests(context);
    loadingTests(context);
    valuesTests(context);
    refusedTests(context);
    migrateTests(context);
    readingTests(context);

    context.test('checks itself', async () => {
      expect((await context.warehouse.check()).filter(({ level }) => level === 'error')).toEqual([]);
    });
  });
}
