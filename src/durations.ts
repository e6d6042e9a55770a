import { ConfigError } from './errors.js';

const units = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

/** A hundred years: further off, dates end. */
const longest = 36_500 * units.d;

/** A duration as people write it: `500ms`, `90s`, `10m`, `12h`, `3d`. */
export type Duration = `${number}${keyof typeof units}`;

export const durationPattern = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)$/;

/** Milliseconds of a duration. Throws `ConfigError` that names `what`. */
export function milliseconds(text: string, what: string): number {
  const match = durationPattern.exec(text);
  if (match === null) throw new ConfigError(`${what}: "${text}" is no duration; write 500ms, 90s, 10m, 12h or 3d`);
  const ms = Math.round(Number(match[1]) * units[match[2] as keyof typeof units]);
  if (ms > longest) throw new ConfigError(`${what}: "${text}" is too long; ${longest / units.d}d is the most`);
  return ms;
}

/** For people: `850 ms`, `12 s`, `3 min`, `5 h`, `2 d`. */
export function describeDuration(duration: number): string {
  const ms = Math.round(duration);
  if (ms < 1_000) return `${ms} ms`;
  if (ms < 120_000) return `${Math.round(ms / 1_000)} s`;
  if (ms < 7_200_000) return `${Math.round(ms / 60_000)} min`;
  return ms < 172_800_000 ? `${Math.round(ms / 3_600_000)} h` : `${Math.round(ms / 86_400_000)} d`;
}
