const hour = /^(\d{4}-\d\d-\d\d)(?:T(\d\d)(?::00(?::00(?:\.000)?)?Z?)?)?$/;

/** Unix milliseconds of an hour of the lake, `2026-11-24T13`, or of a day's first, `2026-11-24`; in UTC. Else undefined. */
export function hourOf(text: string): number | undefined {
  const match = hour.exec(text);
  if (match === null) return undefined;
  const [, day, hours = '00'] = match as unknown as [string, string, string | undefined];
  const time = Date.parse(`${day}T${hours}:00:00.000Z`);
  // 2026-02-30 is no day, and becomes one of March.
  return Number.isNaN(time) || !new Date(time).toISOString().startsWith(`${day}T${hours}`) ? undefined : time;
}

/** `2026-11-24T13`, as `hourOf` reads it. */
export function writeHour(time: number): string {
  return new Date(time).toISOString().slice(0, 13);
}
