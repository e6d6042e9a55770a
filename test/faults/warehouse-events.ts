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
  if (isRejected(number, version)) return { event, reason: 'number: not today' };
  return { event, rows: Array.from({ length: rowsOf(number, version) }, () => ({ number: String(number) })) };
}

/** Some are rejected by every version, some only by the first. */
export const isRejected = (number: number, version: number): boolean =>
  number % 10 === 0 || (number % 10 === 1 && version === 1);

export const rowsOf = (number: number, version: number): number => 1 + ((number + version) % 3);
