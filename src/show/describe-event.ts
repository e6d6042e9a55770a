import { bodyText } from '../tail/event-line.js';
import { harmless } from '../harmless.js';
import { writePlace } from './place.js';
import type { StoredEvent } from './read-events.js';

/** All of an event for a person, harmless for a terminal: line feeds and tabs of the body stay. */
export function describeEvent(key: string, { line, envelope }: StoredEvent): string {
  const { id, sentAt, source, batch, attributes, bodyEncoding } = envelope;
  const facts = Object.entries({ id, sentAt, source, batch }).map(([name, value]) => `${name}: ${harmless(value)}`);
  const named = Object.entries(attributes).map(([name, value]) => `  ${harmless(name)} = ${harmless(value)}`);
  return [
    writePlace({ key, line }),
    ...facts,
    ...(named.length === 0 ? ['no attributes'] : ['attributes:', ...named]),
    `body${bodyEncoding === undefined ? '' : ' (as far as it is text; --json has its bytes in base64)'}:`,
    bodyText(envelope).replace(/[^\n\t]+/g, harmless),
  ].join('\n');
}
