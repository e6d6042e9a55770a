import { EnvelopeLines } from '../src/envelope-lines.js';
import type { RawEvent } from '../src/events.js';

/** One event's line, without the line feed. */
export function encodeEnvelope(event: RawEvent, source: string, batch: string): string {
  const lines = new EnvelopeLines(source, batch);
  lines.add(event);
  return lines.take().toString('utf8').slice(0, -1);
}
