import { loadTables } from '../config/load.js';
import type { Settings } from '../config/settings.js';
import { describeError } from '../errors.js';
import { openParts, type Parts } from '../open.js';
import type { Queue } from '../providers/queue.js';
import { owedTables } from '../reconcile/owed.js';
import type { Table } from '../tables.js';
import { readDevRecord } from '../temporal.js';
import { LakeReader, type LakeTotals } from './lake-totals.js';
import type { QueueStatus, StatusReport, TableStatus, Unanswered } from './report.js';
import { RunningWork } from './running-work.js';

/** Reads the status as often as it is asked, over connections that stay. */
export interface StatusReader {
  /**
   * Never rejects: a part that does not answer is named in the report. `everything` compares the whole lake with the
   * manifests; `live` only the hours that can still change since the last reading.
   */
  read(lake: 'everything' | 'live'): Promise<StatusReport>;
  close(): Promise<void>;
}

export function openStatus(settings: Settings, parts: Parts = openParts(settings)): StatusReader {
  const lakeReader = new LakeReader();
  const work = new RunningWork(settings);
  let tables: readonly Table[] | undefined;

  return {
    async read(lake) {
      const unanswered: Unanswered[] = [];
      const ask = async <Answer>(part: string, question: () => Promise<Answer>): Promise<Answer | undefined> => {
        try {
          return await question();
        } catch (error) {
          unanswered.push({ part, error: describeError(error) });
          return undefined;
        }
      };

      // In the direction in which events move: one that leaves a part while it is asked is found in a later one.
      const queues: Record<string, QueueStatus> = {};
      for (const [name, queue] of queuesOf(settings, parts)) {
        const answer = await ask(name, () => queueStatus(queue()));
        if (answer !== undefined) queues[name] = answer;
      }
      const workflows = await ask('temporal', () => work.count());

      tables ??= await ask('tables', () => loadTables(settings));
      const made = await ask('warehouse', () => owedTables(parts.warehouse, tables ?? []));
      for (const [table, error] of made?.absent ?? []) unanswered.push({ part: `table ${table}`, error });
      const owed = made?.owed ?? [];
      const totals = await ask('lake', () => lakeReader.read(parts, settings, owed, lake === 'everything'));
      const statuses: Record<string, TableStatus> = {};
      for (const { shape } of owed) {
        const audit = await ask('warehouse', () => parts.warehouse.audit(shape, new Date()));
        if (audit === undefined) continue;
        const { rowsCounted: rows, rejectionsCounted: rejected } = audit;
        statuses[shape.name] = { rows, rejected, ...(totals && lag(totals, shape.name)) };
      }

      const ui = readDevRecord(settings.dataDir)?.uiUrl;
      return {
        pipeline: settings.pipeline,
        urls: { ...(ui !== undefined && { temporal: ui }) },
        queues,
        ...(totals && { lake: { objects: totals.objects, events: totals.events } }),
        tables: statuses,
        ...(workflows !== undefined && { workflows }),
        unanswered,
      };
    },
    async close() {
      await Promise.all([parts.close(), work.close()]);
    },
  };
}

function queuesOf(settings: Settings, parts: Parts): [string, () => Queue][] {
  return [
    ...Object.keys(settings.sources).map((name): [string, () => Queue] => [name, () => parts.sources[name]!]),
    ['secondary', () => parts.secondary],
  ];
}

async function queueStatus(queue: Queue): Promise<QueueStatus> {
  const { waiting, leased, oldestMs, asOf } = await queue.backlog();
  return {
    ...{ waiting, leased, oldestSeconds: oldestMs === undefined ? null : Math.round(oldestMs / 1_000) },
    ...(asOf && { asOf: asOf.toISOString() }),
  };
}

function lag(totals: LakeTotals, table: string): Pick<TableStatus, 'freshnessSeconds' | 'objectsMissing'> {
  const missing = totals.missing.get(table);
  const age = missing?.oldest === undefined ? 0 : Date.now() - missing.oldest.getTime();
  return { freshnessSeconds: Math.max(0, Math.round(age / 1_000)), objectsMissing: missing?.objects ?? 0 };
}
