/** pino's and Temporal's level for an error. */
const error = 50;

/**
 * What a person at the terminal sees of a child's log line: an error's message, or a line that is no log line (why it could not
 * start, say); undefined for all else, and for the same again. The whole log is in `.catchment/logs/`.
 */
export function childLines(name: string): (line: string) => string | undefined {
  let last: string | undefined;
  return (line) => {
    const text = forPeople(line);
    if (text === undefined || text === last) return undefined;
    last = text;
    return `${name} | ${text}`;
  };
}

function forPeople(line: string): string | undefined {
  if (line.trim() === '') return undefined;
  const entry = parsed(line);
  if (entry === undefined) return line;
  return typeof entry.level === 'number' && entry.level >= error ? String(entry.msg) : undefined;
}

function parsed(line: string): { level?: unknown; msg?: unknown } | undefined {
  if (!line.startsWith('{')) return undefined;
  try {
    return JSON.parse(line) as { level?: unknown; msg?: unknown };
  } catch {
    return undefined;
  }
}
