import { setTimeout as sleep } from 'node:timers/promises';

import { Client } from '@temporalio/client';
import type { NativeConnection } from '@temporalio/worker';

import { localQueue } from '../../src/providers/local/queue.js';
import type { Place } from '../../src/providers/provider.js';
import type { Queue } from '../../src/providers/queue.js';
import { connected } from '../integration/temporal.js';
import { pendingOf } from '../integration/temporal-reads.js';
import { until } from '../until.js';
import type { Pipeline } from './pipeline.js';
import { warehouseRows } from '../integration/warehouse-rows.js';

/** A running workflow's activity that waits or is tried, with the error of its last attempt. */
type Pending = ReturnType<typeof pendingOf>[number];

/** What a pipeline's queues, tables and Temporal tell of it while it is hurt; none of it goes through a part that is. */
export class Watch {
  readonly client: Client;
  readonly secondary: Queue;
  readonly source: Queue;
  readonly #connection: NativeConnection;
  readonly #dataDir: string;

  private constructor(dataDir: string, connection: NativeConnection) {
    this.#dataDir = dataDir;
    this.#connection = connection;
    this.client = new Client({ connection });
    this.secondary = localQueue().open(this.#place('secondary'));
    this.source = localQueue().open(this.#place('source-app'));
  }

  /** Starts the pipeline. */
  static async start(pipeline: Pipeline): Promise<Watch> {
    await pipeline.start();
    const address = await until('a server', () => pipeline.folder.record()?.temporalAddress);
    return new Watch(pipeline.dataDir, await connected(address));
  }

  async close(): Promise<void> {
    await Promise.all([this.secondary.close(), this.source.close()]);
    await this.#connection.close();
  }

  /** How many workflows run, or of one type. */
  async running(type?: string): Promise<number> {
    const which = type === undefined ? '' : ` AND WorkflowType = '${type}'`;
    return (await this.client.workflow.count(`ExecutionStatus = 'Running'${which}`)).count;
  }

  /** Ids of all workflows of a type that were ever started, each as often as it was. */
  async started(type: string): Promise<string[]> {
    const ids: string[] = [];
    for await (const { workflowId } of this.client.workflow.list({ query: `WorkflowType = '${type}'` }))
      ids.push(workflowId);
    return ids;
  }

  /** Of all running workflows of a type. */
  async pending(type: string): Promise<Pending[]> {
    const all: Pending[] = [];
    const query = `WorkflowType = '${type}' AND ExecutionStatus = 'Running'`;
    for await (const { workflowId, runId } of this.client.workflow.list({ query }))
      all.push(...pendingOf(await this.client.workflow.getHandle(workflowId, runId).describe()));
    return all;
  }

  /** By whoever has the warehouse open. */
  async query(sql: string): Promise<Record<string, unknown>[]> {
    return warehouseRows(this.#dataDir, sql);
  }

  #place(part: string): Place {
    return { pipeline: 'faults', dataDir: this.#dataDir, part };
  }
}

/** Messages that wait or are leased. */
export async function held(queue: Queue): Promise<number> {
  const { waiting, leased } = await queue.backlog();
  return waiting + leased;
}

/** Looks ten times a second for as long as the work lasts; resolves with all that was seen. */
export async function seenDuring<Seen>(look: () => Promise<Seen>, work: () => Promise<void>): Promise<Seen[]> {
  const seen: Seen[] = [];
  const done = { yet: false };
  const looking = (async () => {
    while (!done.yet) {
      seen.push(await look());
      await sleep(100);
    }
  })();
  try {
    await work();
  } finally {
    done.yet = true;
    await looking;
  }
  return seen;
}
