import { WorkflowNotFoundError, type WorkflowHandle } from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';

import type { ObjectToLoad, PageInput, TransformInput } from '../../src/activities/types.js';
import { newId, timeOfId } from '../../src/ids.js';
import type { BackfillAsk } from '../../src/workflows/backfill-state.js';
import type { backfill } from '../../src/workflows/index.js';
import type { WorkflowHarness } from './temporal.js';

export interface State {
  readonly works: Readonly<Record<string, { ranges: readonly unknown[]; version?: number }>>;
  readonly paused: boolean;
  readonly objects: number;
  readonly events: number;
  readonly passes: number;
  readonly failed: readonly { key: string; error: string }[];
  readonly unreadable: readonly string[];
  readonly notUnderstood?: string;
}

export type Handle = WorkflowHandle<typeof backfill>;

const pageSize = 3;

/** A lake, and the manifest of one table; a test may put faults in the way. */
export class BackfilledTable {
  readonly lake: ObjectToLoad[];
  readonly manifest = new Set<string>();
  readonly pages: PageInput[] = [];
  readonly transforms: TransformInput[] = [];
  /** Keys of each load that went well. */
  readonly loads: string[][] = [];
  discards = 0;
  /** As the worker that looks knows it. */
  version = 1;
  onPage: (input: PageInput) => Promise<void> = () => Promise.resolve();
  onLoad: (keys: readonly string[]) => Promise<void> = () => Promise.resolve();
  unreadable: readonly string[] = [];
  /** What each load says that it made. */
  rows = 0;
  #staged = new Map<string, readonly string[]>();
  readonly #handles: Handle[] = [];
  readonly #harness: WorkflowHarness;

  constructor(harness: WorkflowHarness, lake: readonly ObjectToLoad[]) {
    this.#harness = harness;
    this.lake = [...lake];
    harness.use({
      nextPage: async (input) => {
        this.pages.push(input);
        await this.onPage(input);
        const { after, range, without } = input;
        const rest = this.lake
          .filter(({ key, batch }) => {
            const time = timeOfId(batch)!;
            return time >= range.from && time < range.to && (after === undefined || key > after.key);
          })
          .sort((one, other) => (one.key < other.key ? -1 : 1));
        const missing = rest.filter(({ key }) => !this.manifest.has(key) && !without.includes(key));
        const found = missing.slice(0, pageSize);
        return missing.length <= pageSize
          ? { objects: found, version: this.version }
          : { objects: found, version: this.version, next: { source: 'app', key: found.at(-1)!.key } };
      },
      transform: (input) => {
        const { objects: given, tables } = input;
        this.transforms.push(input);
        expect(tables).toEqual(['visits']);
        const folder = `load/${newId()}/`;
        const keys = given.map(({ key }) => key);
        this.#staged.set(folder, keys);
        const plan = { key: folder, sha256: '' };
        return Promise.resolve({
          folder,
          planned: [{ table: 'visits', plan, rows: 1, rejections: 0 }],
          failed: [],
          unreadable: keys.filter((key) => this.unreadable.includes(key)),
        });
      },
      load: async ({ plan, live }) => {
        expect(live).toBe(false);
        const keys = this.#staged.get(plan.key)!;
        await this.onLoad(keys);
        this.loads.push([...keys]);
        for (const key of keys) if (!this.unreadable.includes(key)) this.manifest.add(key);
        return { events: 0, matched: 0, rows: this.rows, removed: 0, duplicates: 0, rejected: 0, cleared: 0 };
      },
      discard: ({ folder }) => {
        expect(this.#staged.delete(folder)).toBe(true);
        this.discards++;
        return Promise.resolve();
      },
    });
  }

  get staged(): number {
    return this.#staged.size;
  }

  /** Signals one, which is started where it does not run. */
  async asked(ask: BackfillAsk, workflowId = `backfill/test/${newId()}`): Promise<Handle> {
    const started = await this.#harness.client.workflow.signalWithStart<typeof backfill, [BackfillAsk]>('backfill', {
      workflowId,
      taskQueue: this.#harness.taskQueue,
      args: [{ table: 'visits' }],
      signal: 'widen',
      signalArgs: [ask],
    });
    return this.follow(started.workflowId);
  }

  /** Without its run, so that it follows the workflow when it continues as new. */
  follow(workflowId: string): Handle {
    const handle = this.#harness.client.workflow.getHandle<typeof backfill>(workflowId);
    this.#handles.push(handle);
    return handle;
  }

  async end(): Promise<void> {
    for (const handle of this.#handles) {
      await handle.terminate().catch((error: unknown) => {
        if (!(error instanceof WorkflowNotFoundError)) throw error;
      });
    }
  }
}

export const progress = (handle: Handle): Promise<State> => handle.query<State>('progress');
export const refused = (): Promise<never> => Promise.reject(ApplicationFailure.nonRetryable('a row was refused'));

/** Holds up who passes, until it is opened. */
export function door(): { pass: () => Promise<void>; open: () => void } {
  let open = (): void => undefined;
  const opened = new Promise<void>((resolve) => (open = resolve));
  return { pass: () => opened, open: () => open() };
}
