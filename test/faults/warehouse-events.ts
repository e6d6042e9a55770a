import type { TableShape } from '../../src/providers/warehouse.js';
import { someEvent, type Copy } from '../contract/warehouse-loads.js';

export const loaderTable = (version: number): TableShape => ({
  name: 'loaded',
  version,
  columns: [{ name: 'number', type: 'int64', nullable: false }],
  cluster: [],
});

/** Event `number`, as every process and version makes it: how many rows it has, or that it is rejected, follows from both. */
export function copyOf(number: number, version: number): Copy {
  const event = someEvent({ id: `event-${number}` });
  if (fails(number, version)) return { event, reason: 'number: not today' };
  const value = isRefused(number, version) ? 'no number' : String(number);
  return { event, rows: Array.from({ length: rowsOf(number, version) }, () => ({ number: value })) };
}

/** Some are rejected by every version, some only by the first. */
const fails = (number: number, version: number): boolean => number % 10 === 0 || (number % 10 === 1 && version === 1);
/** And some are found by the warehouse alone. */
const isRefused = (number: number, version: number): boolean =>
  number % 97 === 5 || (number % 97 === 6 && version === 1);
export const isRejected = (number: number, version: number): boolean =>
  fails(number, version) || isRefused(number, version);

export const rowsOf = (number: number, version: number): number => 1 + ((number + version) % 3);
