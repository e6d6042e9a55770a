import type { Settings } from '../config/settings.js';
import type { Parts } from '../open.js';
import type { Backlog } from '../providers/queue.js';
import { Age } from './age.js';
import type { Figures } from './figures.js';
import { watch, watchEveryMs } from './watch.js';

/** What waits on each queue, again and again until `stop`. Never throws: a queue that does not answer is a figure too. */
export function watchQueues(
  parts: Pick<Parts, 'sources' | 'secondary'>,
  settings: Pick<Settings, 'freshnessMs'>,
  figures: Figures,
  stop: AbortSignal,
  everyMs = watchEveryMs(settings),
): void {
  for (const [name, queue] of Object.entries({ ...parts.sources, secondary: parts.secondary })) {
    const tell = backlogFigures(name, figures);
    void watch(() => queue.backlog(), tell, everyMs, stop);
  }
}

function backlogFigures(queue: string, figures: Figures): (backlog: Backlog | undefined) => void {
  const oldest = new Age();
  return (backlog) => {
    figures.partUp.set(backlog === undefined ? 0 : 1, { part: queue });
    figures.queueWaiting.set(backlog?.waiting ?? NaN, { queue });
    figures.queueLeased.set(backlog?.leased ?? NaN, { queue });
    if (backlog === undefined) {
      figures.queueOldest.set(oldest.seconds, { queue });
      return;
    }
    const { waiting, leased, oldestMs = waiting + leased > 0 ? NaN : 0 } = backlog;
    oldest.known(oldestMs);
    figures.queueOldest.set(oldestMs / 1_000, { queue });
  };
}
