import { bodyOf, type Envelope } from '../envelope.js';
import { escapeSeparators } from '../envelope-lines.js';
import { harmlessBeginning } from '../harmless.js';

const longestId = 64;
const longestBody = 200;

/** For a person: when it was sent, its source, its id, and how its body begins, harmless for a terminal. */
export function eventLine(envelope: Envelope): string {
  const { sentAt, source, id } = envelope;
  return `${sentAt}  ${source}  ${harmlessBeginning(id, longestId)}  ${harmlessBeginning(bodyText(envelope), longestBody)}`;
}

/** The body as text; what of it is no UTF-8 is lost. */
export function bodyText(envelope: Pick<Envelope, 'body' | 'bodyEncoding'>): string {
  return envelope.bodyEncoding === undefined ? envelope.body : Buffer.from(bodyOf(envelope)).toString('utf8');
}

/** For a program: the envelope on one line, as it stands in the lake. */
export function jsonLine(envelope: Envelope): string {
  return escapeSeparators(JSON.stringify(envelope));
}
