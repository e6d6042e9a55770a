/** The events of the fault tests, and what must come of each: said apart from the tables that make it so. */
export interface NumberedEvent {
  readonly id: string;
  readonly number: number;
}

/** A line as a producer might write it: whoever parses it and writes it anew makes other bytes. */
export function bodyOf({ id, number }: NumberedEvent): string {
  return ` {"number" :${number}.0, "id":"${id}","text":"caf\\u00e9 \u00fc \u2028 ${'.'.repeat(number % 200)}" }\t`;
}

export type Row = Readonly<Record<string, string>>;

/** By table: the rows of event `number` in order, as DuckDB tells them as text. */
export const expectedRows: Readonly<Record<string, (number: number) => readonly Row[] | 'rejected'>> = {
  singles: (number) => [{ number: `${number}` }],
  pairs: (number) => (number % 2 === 0 ? ['0', '1'].map((part) => ({ number: `${number}`, part })) : []),
  checked: (number) => (number % 10 === 0 ? 'rejected' : [{ number: `${number}` }]),
};
