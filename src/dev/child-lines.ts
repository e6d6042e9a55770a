/** pino's level of an error. */
const error = 50;

/**
 * What a person at the terminal sees of a child's log line: an error's message, or a line that is no log line (why it could not
 * start, say); undefined for all else. The whole log is in `.catchment/logs/`.
 */
export function forPeople(line: string): string | undefined {
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

/** Says a line unless it was said within the last minute: a child that cannot start says the same each time that it is started. */
export function withoutRepeats(say: (line: string) => void, now: () => number = Date.now): (line: string) => void {
  const said = new Map<string, number>();
  return (line) => {
    const at = now();
    for (const [text, when] of said) if (at - when >= 60_000) said.delete(text);
    if (said.has(line)) return;
    said.set(line, at);
    say(line);
  };
}
