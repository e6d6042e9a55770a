import { ratesOf, type Rates } from './rates.js';

/** Markdown: what `monthly` makes of a pipeline, in US dollars, by events a second and `freshness`. */
export function table(columns: readonly string[], monthly: (rates: Rates) => readonly number[]): string {
  const dollars = (amount: number): string => (amount < 10 ? amount.toFixed(2) : amount.toFixed(0));
  const head = ['events/s of 1 KB', '`freshness`', ...columns];
  const rows = [1, 10, 100, 1_000, 10_000].flatMap((events) =>
    [1, 10, 60].map((freshness) => {
      return [`${events}`, `${freshness}s`, ...monthly(ratesOf(events, freshness)).map(dollars)];
    }),
  );
  return [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}
