import { join } from 'node:path';

import { DuckDBInstance } from '@duckdb/node-api';

import type { ReconcileReport } from '../../src/reconcile/report.js';
import type { Pipeline } from './pipeline.js';

/** What `catchment reconcile` answers; undefined where a store did not. */
export async function proof(pipeline: Pipeline, ...flags: readonly string[]): Promise<ReconcileReport | undefined> {
  const { status, answer } = await pipeline.run(['reconcile', ...flags]);
  if ('error' in answer) return undefined;
  const report = answer as unknown as ReconcileReport;
  expect(status).toBe(report.ok ? 0 : 1);
  return report;
}

/** Compares again and again until it is stopped. */
export class Proving {
  /** What was found where nothing was planted. */
  readonly falseAlarms: ReconcileReport[] = [];
  answers = 0;
  #stopped = false;
  readonly #ended: Promise<void>;

  constructor(pipeline: Pipeline) {
    this.#ended = this.#prove(pipeline);
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#ended;
  }

  async #prove(pipeline: Pipeline): Promise<void> {
    while (!this.#stopped) {
      const report = await proof(pipeline);
      if (report === undefined) continue;
      this.answers += 1;
      if (!report.ok) this.falseAlarms.push(report);
    }
  }
}

/** All holds, by the bodies too. Resolves with how many identities were compared, by table. */
export async function expectProved(pipeline: Pipeline): Promise<Record<string, number>> {
  const report = await proof(pipeline, '--deep');
  expect(report).toMatchObject({ ok: true, objects: { unreadable: 0 } });
  const compared = Object.entries(report!.tables).map(([table, { identities }]) => [table, identities!.compared]);
  return Object.fromEntries(compared) as Record<string, number>;
}

/** Changes the warehouse behind its back. Nothing of the pipeline may run. */
export async function plant(pipeline: Pipeline, sql: string): Promise<void> {
  const instance = await DuckDBInstance.create(join(pipeline.dataDir, 'warehouse.duckdb'));
  const connection = await instance.connect();
  await connection.run(sql);
  connection.closeSync();
  instance.closeSync();
}
