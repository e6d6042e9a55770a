import type { SourcePoller } from '../starter/source-poller.js';
import { aborted } from '../signals.js';
import type { Figures } from './figures.js';

/** What the pollers hold in memory, each second until `stop`. */
export function watchHeld(pollers: readonly Pick<SourcePoller, 'held'>[], figures: Figures, stop: AbortSignal): void {
  // Their counters begin at 0: the first batch would be no increase otherwise.
  for (const { held } of pollers) figures.storedEvents.add(0, { source: held.source });
  const timer = setInterval(() => {
    for (const { held } of pollers) {
      const { source, events, bytes } = held;
      figures.heldEvents.set(events, { source });
      figures.heldBytes.set(bytes, { source });
    }
  }, 1_000).unref();
  void aborted(stop).then(() => clearInterval(timer));
}
