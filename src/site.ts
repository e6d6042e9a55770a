import { fileURLToPath } from 'node:url';

/** Where in the user's files a call stands; lines count from 1. */
export interface Site {
  readonly file: string;
  readonly line: number;
}

/**
 * Where `callee` was called. From the stack trace's text, not its structure: the text is what source maps have mended,
 * where any are at work.
 */
export function callSite(callee: (...parameters: never) => unknown): Site | undefined {
  const trace: { stack?: string } = {};
  const limit = Error.stackTraceLimit;
  Error.stackTraceLimit = 1;
  Error.captureStackTrace(trace, callee);
  Error.stackTraceLimit = limit;
  return trace.stack === undefined ? undefined : siteOf(trace.stack);
}

/** The first place of a stack trace that `wanted` takes. */
export function siteOf(stack: string, wanted: (file: string) => boolean = () => true): Site | undefined {
  // A frame is `at name (place)` or `at place`; a place begins as an absolute path or a URL does.
  const frames = /^\s*at (?:(?!file:|[/\\]|[A-Z]:[/\\]).*? \()?((?:file:|[/\\]|[A-Z]:[/\\]).*?):(\d+):\d+\)?$/gm;
  for (const [, place, line] of stack.matchAll(frames) as Iterable<[string, string, string]>) {
    const file = place.startsWith('file:') ? fileURLToPath(place) : place;
    if (wanted(file)) return { file, line: Number(line) };
  }
  return undefined;
}
