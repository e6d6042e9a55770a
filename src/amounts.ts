/**
 * Amounts as people read them, in summaries and details. A workflow writes them too, so they must not depend on the
 * machine: `Intl` writes what its ICU data and the locale say.
 */

/** A whole number with a comma between its thousands: 4213 is `4,213`. */
export function count(n: number): string {
  return String(n).replace(/\B(?=(\d{3})+$)/g, ',');
}

/** Bytes as megabytes (10^6) with one digit behind the point, `3.1 MB`; `< 0.1 MB` for less, which is not nothing. */
export function megabytes(bytes: number): string {
  const tenths = Math.round(bytes / 100_000);
  if (tenths === 0 && bytes > 0) return '< 0.1 MB';
  return `${count(Math.floor(tenths / 10))}.${String(tenths % 10)} MB`;
}

/** `1 event`, `4,213 events`. */
export function counted(n: number, noun: string): string {
  return `${count(n)} ${noun}${n === 1 ? '' : 's'}`;
}
