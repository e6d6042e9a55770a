import { sentAtIsOfId } from '../events.js';
import type { Table } from '../tables.js';
import { LakeEvent } from './event.js';
import { EventLines } from './files.js';
import type { Job, Progress, SlowTable } from './messages.js';
import { envelopesOf } from './object.js';
import { TableTransform, type TableFiles } from './table.js';

/** So many deadlines' time one table may take of the others for an object; alone it takes what it needs. */
const mostDeadlines = 12;

/** The load files of each of the job's tables. Throws `LakeCorrupt`. */
export async function transformObject(
  job: Job,
  tables: ReadonlyMap<string, Table>,
  progress: Progress,
): Promise<(TableFiles | SlowTable)[]> {
  const transforms = job.tables.map((name, index) => {
    const verdicts = job.verdicts.filter((verdict) => verdict.table === index);
    const refused = new Map(verdicts.map(({ line, reason }) => [line, reason]));
    return new TableTransform(tables.get(name)!, { limits: job.limits, tellRowless: job.tellRowless, refused });
  });
  const spentMs = transforms.map(() => 0);
  const tooSlow = (table: number): boolean => transforms.length > 1 && spentMs[table]! > mostDeadlines * job.deadlineMs;
  const { only } = job;
  let line = 0;
  let [from, to] = [Infinity, -Infinity];
  for (const envelope of envelopesOf(job.object, job)) {
    line++;
    if (only !== undefined && only.line !== line) continue;
    const sentAt = Date.parse(envelope.sentAt);
    // Every copy of an event carries the same time where that is of its id; else within the window.
    const window = sentAtIsOfId(envelope.id, sentAt) ? 0 : job.dedupeMs;
    from = Math.min(from, sentAt - window);
    to = Math.max(to, sentAt + window);
    const event = new LakeEvent(envelope);
    const lines = new EventLines(envelope, job.key, line);
    for (let table = 0; table < transforms.length; table++) {
      if ((only !== undefined && only.table !== table) || tooSlow(table)) continue;
      progress.at(line, table);
      const began = performance.now();
      const written = transforms[table]!.take(event, lines, line);
      if (written !== undefined) await written;
      // At most the deadline: this process may have been paused meanwhile.
      spentMs[table]! += Math.min(performance.now() - began, job.deadlineMs);
    }
    progress.at(0, 0);
  }
  const range = line === 0 ? { from: 0, to: 0 } : { from, to };
  const lookFrom = new Date(range.from).toISOString();
  const lookTo = new Date(range.to).toISOString();
  return Promise.all(
    transforms.map(async (each, table) =>
      tooSlow(table)
        ? { table: job.tables[table]!, slowMs: spentMs[table]! }
        : each.finish({ events: line, lookFrom, lookTo }),
    ),
  );
}
