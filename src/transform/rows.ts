import type { Column, TableShape, Warehouse } from '../providers/warehouse.js';
import { jsonText } from './json.js';
import { Refusal, type ValueWriter } from './refusal.js';
import { dateWriter, timestampWriter } from './times.js';

type Limits = Warehouse['limits'];
/**
 * Writes the user's columns of a row as the end of a load file's line: `,"price":"12.50","seen":null`. The value is what
 * the row's schema gave out. A warehouse must never be the one that finds a bad value: some make NULL of it, or another
 * value, without a word, and others refuse the whole load.
 */
export type RowWriter = (row: Readonly<Record<string, unknown>>) => string | Refusal;

export function rowWriter(shape: TableShape, limits: Limits): RowWriter {
  const columns = shape.columns.map((column) => ({
    name: column.name,
    label: `,${JSON.stringify(column.name)}:`,
    write: nullable(column, valueWriter(column, limits)),
  }));
  return (row) => {
    let line = '';
    for (const column of columns) {
      const written = column.write(row[column.name]);
      if (written instanceof Refusal) return new Refusal(`${column.name}: ${written.reason}`);
      line += column.label + written;
    }
    return line;
  };
}

const missing = new Refusal('is missing, and the column is not nullable');

function nullable(column: Column, write: ValueWriter): ValueWriter {
  const empty = column.nullable ? 'null' : missing;
  return (value) => (value === undefined || value === null ? empty : write(value));
}

function valueWriter(column: Column, limits: Limits): ValueWriter {
  switch (column.type) {
    case 'string':
      return stringWriter(lengthOf(column), limits.stringBytes);
    case 'int64':
      return integerWriter(bitsOf(column));
    case 'double':
      return isSingle(column) ? writeSingle : writeDouble;
    case 'decimal':
      return decimalWriter(column);
    case 'boolean':
      return (value) => (typeof value === 'boolean' ? String(value) : new Refusal('expected boolean'));
    case 'date':
      return dateWriter(limits);
    case 'timestamp':
      return timestampWriter(limits);
    case 'json':
      return jsonWriter(limits);
  }
}

/** `varchar(20)`: characters, which is the least that any warehouse holds to. */
function lengthOf(column: Column): number {
  const length = /^\s*\w+(?:\s+varying)?\s*\(\s*(\d+)\s*\)\s*$/i.exec(column.sql ?? '')?.[1];
  return length === undefined ? Infinity : Number(length);
}

function stringWriter(characters: number, bytes: number): ValueWriter {
  return (value) => {
    if (typeof value !== 'string') return new Refusal('expected string');
    if (!value.isWellFormed()) return new Refusal('holds a lone surrogate, which is no text');
    if (exceeds(value, bytes)) return new Refusal(`is longer than ${bytes} bytes`);
    if (value.length > characters && Array.from(value).length > characters) {
      return new Refusal(`is longer than ${characters} characters`);
    }
    return JSON.stringify(value);
  };
}

function exceeds(text: string, bytes: number): boolean {
  // UTF-8 takes at most 3 bytes for a UTF-16 unit: most texts need no count.
  return text.length * 3 > bytes && Buffer.byteLength(text) > bytes;
}

/** Of the SQL types that a user may override with. */
function bitsOf(column: Column): number {
  switch (column.sql?.trim().toLowerCase()) {
    case 'tinyint':
      return 8;
    case 'smallint':
    case 'int2':
      return 16;
    case 'int':
    case 'integer':
    case 'int4':
      return 32;
    default:
      return 64;
  }
}

function integerWriter(bits: number): ValueWriter {
  const max = 2n ** BigInt(bits - 1) - 1n;
  return (value) => {
    if (bits === 64 && Number.isSafeInteger(value)) return `"${value as number}"`;
    const integer = integerOf(value);
    if (integer === undefined) return new Refusal('expected integer');
    return integer < -max - 1n || integer > max ? new Refusal(`is beyond ${bits} bits`) : `"${integer}"`;
  };
}

function integerOf(value: unknown): bigint | undefined {
  if (typeof value === 'bigint') return value;
  if (typeof value === 'number' && Number.isInteger(value)) return BigInt(value);
  if (typeof value !== 'string' || !/^-?\d+$/.test(value)) return undefined;
  // To read a million digits takes seconds.
  return value.length > decimalDigits ? 2n ** 64n : BigInt(value);
}

function writeDouble(value: unknown): string | Refusal {
  const double = typeof value === 'bigint' ? Number(value) : value;
  if (typeof double !== 'number') return new Refusal('expected number');
  if (!Number.isFinite(double)) return new Refusal('is not finite');
  return typeof value === 'bigint' && BigInt(double) !== value ? new Refusal('would lose digits') : String(double);
}

function isSingle(column: Column): boolean {
  return /^\s*(?:real|float4?)\s*$/i.test(column.sql ?? '');
}

function writeSingle(value: unknown): string | Refusal {
  return typeof value === 'number' && Number.isFinite(value) && !Number.isFinite(Math.fround(value))
    ? new Refusal('is beyond 32 bits')
    : writeDouble(value);
}

function decimalWriter(column: Column): ValueWriter {
  const [, precision, scale] = /\(\s*(\d+)\s*(?:,\s*(\d+)\s*)?\)/.exec(column.sql ?? '') ?? [];
  // Where the type names none, what the embedded warehouse takes for it.
  const fraction = scale === undefined ? (precision === undefined ? 3 : 0) : Number(scale);
  const whole = Number(precision ?? 18) - fraction;
  return (value) => {
    const digits = decimalOf(value);
    if (digits === undefined) return new Refusal('expected decimal');
    if (digits.whole.length > whole) return new Refusal(`has more than ${whole} digits before the point`);
    if (digits.fraction.length > fraction) return new Refusal(`has more than ${fraction} digits behind the point`);
    const zero = digits.whole + digits.fraction === '';
    return `"${digits.negative && !zero ? '-' : ''}${digits.whole || '0'}${digits.fraction && `.${digits.fraction}`}"`;
  };
}

interface Digits {
  readonly negative: boolean;
  /** Without leading zeros. */
  readonly whole: string;
  /** Without trailing zeros. */
  readonly fraction: string;
}

/** More digits than any warehouse has, and an exponent is spelled out in no more than this. */
const decimalDigits = 1000;

/** A number stands for the shortest decimal that reads as it: 0.1 is 0.1. */
function decimalOf(value: unknown): Digits | undefined {
  if (typeof value !== 'number' && typeof value !== 'bigint' && typeof value !== 'string') return undefined;
  const text = String(value);
  if (text.length > decimalDigits) return undefined;
  const [, sign, whole, fraction = '', exponent = '0'] = /^(-?)(\d+)(?:\.(\d+))?(?:e([+-]?\d+))?$/i.exec(text) ?? [];
  const shift = Number(exponent);
  if (whole === undefined || Math.abs(shift) > decimalDigits) return undefined;
  const digits = '0'.repeat(Math.max(0, -shift)) + whole + fraction + '0'.repeat(Math.max(0, shift));
  const point = Math.max(0, -shift) + whole.length + shift;
  return {
    negative: sign === '-',
    whole: digits.slice(0, point).replace(/^0+/, ''),
    fraction: digits.slice(point).replace(/0+$/, ''),
  };
}

function jsonWriter(limits: Limits): ValueWriter {
  return (value) => {
    const text = jsonText(value, limits.jsonDepth);
    if (text instanceof Refusal) return text;
    return exceeds(text, limits.jsonBytes)
      ? new Refusal(`is longer than ${limits.jsonBytes} bytes`)
      : JSON.stringify(text);
  };
}
