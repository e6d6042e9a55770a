import { counted } from '../amounts.js';
import type { Drained } from '../starter/drain-dead-letters.js';

const standstillMs = 60_000;

/** Says what changed; and, once, where nothing does for long. */
export function follower(say: (text: string) => void): (drained: readonly Drained[]) => void {
  let told = '';
  let since = Date.now();
  return (drained) => {
    // That the same was counted again later is no change.
    const counts = JSON.stringify(drained.map(({ queue, messages, left }) => [queue, messages, left]));
    // What a queue tells late may have moved since.
    const stands = drained.some(({ left, asOf }) => left > 0 && (asOf?.getTime() ?? Date.now()) - since > standstillMs);
    if (counts !== told) {
      told = counts;
      say(describeDrained(drained));
      since = Date.now();
    } else if (stands) {
      say('nothing moves: is a worker running? catchment stuck says what does not go on');
      since = Infinity;
    }
  };
}

export function describeDrained(drained: readonly Drained[]): string {
  return drained
    .map(({ queue, messages, left, asOf }) => {
      const at = asOf === undefined ? '' : ` at ${asOf.toISOString().slice(11, 16)} UTC`;
      const rest = left === 0 ? '' : `, about ${left} left${at}`;
      return `${queue}: ${counted(messages, 'dead letter')} ${queue === 'secondary' ? 'loaded' : 'in the lake'}${rest}`;
    })
    .join('\n');
}
