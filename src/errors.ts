/**
 * Every error that crosses a part's border is one of these: it says what went wrong, where, and what to do. None carries
 * a foreign cause or stack, since those could hold an event's bytes.
 */
export class CatchmentError extends Error {
  /** Where it happened: names and counts only, never a value of an event. */
  readonly where: ErrorPlace;
  override get name(): string {
    return this.constructor.name;
  }

  constructor(message: string, where: ErrorPlace = {}) {
    super(message);
    this.where = where;
  }
}

export interface ErrorPlace {
  readonly table?: string;
  readonly column?: string;
  readonly key?: string;
  readonly line?: number;
  readonly path?: string;
}

/** A store did not answer, throttled or is not there yet: the same call may succeed later, so it is retried for ever. */
export class Unavailable extends CatchmentError {}

/** The lake answered: there is no object under that key. */
export class LakeNotFound extends CatchmentError {}

/** A key that no object can ever have, or that would leave the lake. The same call can never succeed. */
export class LakeKeyRefused extends CatchmentError {}

/** The object's bytes are not those that its key or reference names, or cannot be read as an object. */
export class LakeCorrupt extends CatchmentError {}

/** A table cannot become what the config asks without losing data. The message says what to do instead. */
export class SchemaConflict extends CatchmentError {}

/** The warehouse, or this worker's config, has no such table, version or column. */
export class TableMissing extends CatchmentError {}

/** A line of a load file, counted from 1, that the warehouse refuses. */
export interface RefusedLine {
  /** The load file's. */
  readonly key: string;
  readonly line: number;
  /** Names the column and the kind, and holds no value. */
  readonly reason: string;
}

/** The warehouse refused rows that passed every check of ours; `lines` are those that it names. */
export class RowsRefused extends CatchmentError {
  readonly lines: readonly RefusedLine[];

  constructor(message: string, where: ErrorPlace = {}, lines: readonly RefusedLine[] = []) {
    super(message, where);
    this.lines = lines;
  }
}

/** The config or the command line is wrong; exit status 2. */
export class ConfigError extends CatchmentError {}

/** The queue can never take the event as it is: too large, or not allowed. The others of the call are not concerned. */
export class EventRefused extends CatchmentError {}

/** Another process owns what this one needs; the message says which. */
export class Occupied extends CatchmentError {}

/** The user's code broke its contract with us, or could not be run. */
export class UserCodeError extends CatchmentError {}

/** One line, without values that a driver may have quoted: what may go into a log or a failure. */
export function describeError(error: unknown): string {
  if (error instanceof CatchmentError) return error.message;
  // By its shape: an error may come from another realm, as under Jest or from a vm.
  const { code, message } =
    ((typeof error === 'object' ? error : undefined) as { code?: unknown; message?: unknown } | null) ?? {};
  if (typeof message !== 'string') return 'something was thrown that is no Error';
  const text = withoutQuotes(message);
  if ((typeof code !== 'string' && typeof code !== 'number') || text.startsWith(`${code}`)) return text;
  return text === '' ? `${code}` : `${code}: ${text}`;
}

/**
 * Drivers quote the offending value, which may itself hold quotes, and may cut it off: nothing from the first quote on is
 * safe to show. One line, at most 300 characters.
 */
export function withoutQuotes(message: string): string {
  return message
    .trimStart()
    .replace(/["'`“”‘’«»].*$/s, '…')
    .split(/[\r\n]/, 1)[0]!
    .slice(0, 300)
    .toWellFormed();
}
