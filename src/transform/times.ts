import type { Warehouse } from '../providers/warehouse.js';
import { Refusal, type ValueWriter } from './refusal.js';

type Limits = Warehouse['limits'];

/** Years of four digits are all that ISO 8601 knows without an agreement. */
function timesOf(limits: Limits): { min: number; max: number } {
  return {
    min: Math.max(Date.parse(limits.minTime), Date.parse('0001-01-01T00:00:00Z')),
    max: Math.min(Date.parse(limits.maxTime), Date.parse('9999-12-31T23:59:59.999Z')),
  };
}

export function dateWriter(limits: Limits): ValueWriter {
  const { min, max } = timesOf(limits);
  return (value) => {
    const text = value instanceof Date ? midnight(value) : value;
    if (typeof text !== 'string' || !isDate(text)) return new Refusal('expected date, YYYY-MM-DD');
    const time = Date.parse(text);
    return time < min || time > max ? new Refusal('is a date beyond what the warehouse holds') : `"${text}"`;
  };
}

function midnight(date: Date): string | undefined {
  return date.getTime() % 86_400_000 === 0 ? date.toISOString().slice(0, 10) : undefined;
}

function isDate(text: string): boolean {
  const [, year, month, day] = /^(\d{4})-(\d\d)-(\d\d)$/.exec(text) ?? [];
  return day !== undefined && isDay(Number(year), Number(month), Number(day));
}

/** `Date.parse` takes the 31st of February for a day of March. */
function isDay(year: number, month: number, day: number): boolean {
  if (month < 1 || month > 12 || day < 1) return false;
  if (day <= 28) return true;
  const leap = year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
  const shorter = month === 4 || month === 6 || month === 9 || month === 11;
  return day <= (month === 2 ? (leap ? 29 : 28) : shorter ? 30 : 31);
}

const instant = /^(\d{4})-(\d\d)-(\d\d)T\d\d:\d\d(?::\d\d(?:\.(\d+))?)?(?:Z|[+-]\d\d:?\d\d)$/i;
/** As it is written here: most are. */
const canonical = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;

/** In UTC, of what is finer than a microsecond as much as warehouses keep. */
export function timestampWriter(limits: Limits): ValueWriter {
  const { min, max } = timesOf(limits);
  return (value) => {
    const moment = momentOf(value);
    if (moment === undefined) return new Refusal('expected timestamp, ISO 8601 with Z or an offset');
    if (moment.time < min || moment.time > max) return new Refusal('is a time beyond what the warehouse holds');
    if (typeof value === 'string' && canonical.test(value)) return `"${value}"`;
    return `"${new Date(moment.time).toISOString().slice(0, -1)}${moment.micros}Z"`;
  };
}

interface Moment {
  /** Unix milliseconds. */
  readonly time: number;
  /** The digits behind the milliseconds. */
  readonly micros: string;
}

function momentOf(value: unknown): Moment | undefined {
  if (value instanceof Date) return momentAt(value.getTime(), '');
  const [text, year, month, day, fraction = ''] = (typeof value === 'string' ? instant.exec(value) : null) ?? [];
  if (text === undefined || !isDay(Number(year), Number(month), Number(day))) return undefined;
  return momentAt(Date.parse(text), fraction.slice(3, 6));
}

function momentAt(time: number, micros: string): Moment | undefined {
  return Number.isNaN(time) ? undefined : { time, micros };
}
