import { ConfigError, EventRefused } from '../errors.js';

/**
 * Reads an event's id at a JSON Pointer (RFC 6901) such as `/payload/id`: a text as it is, an integer by its digits.
 * Throws `ConfigError` for what is no pointer; what it returns throws `EventRefused` where the event has no such id.
 */
export function idReader(pointer: string): (body: Uint8Array) => string {
  if (!pointer.startsWith('/'))
    throw new ConfigError(`--id: "${pointer}" is no JSON pointer; write /id or /payload/id`);
  const path = pointer.slice(1).split('/').map(unescape);

  return (body) => {
    let value: unknown;
    try {
      value = JSON.parse(Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString('utf8'));
    } catch {
      throw new EventRefused(`the event is no JSON, so it has no id at ${pointer}`);
    }
    for (const name of path) {
      const holds = typeof value === 'object' && value !== null && Object.hasOwn(value, name);
      if (!holds) throw new EventRefused(`the event has no value at ${pointer}`);
      value = (value as Record<string, unknown>)[name];
    }
    if (typeof value === 'string' && value !== '') return value;
    if (Number.isSafeInteger(value)) return String(value);
    if (typeof value === 'number')
      throw new EventRefused(`the number at ${pointer} cannot be an id without losing digits; make it a text`);
    throw new EventRefused(`the value at ${pointer} is neither a text nor an integer`);
  };
}

function unescape(token: string): string {
  return token.replaceAll('~1', '/').replaceAll('~0', '~');
}
