import { InvalidArgumentError } from 'commander';

/** The value of an option that bounds something. */
export function positiveInteger(text: string): number {
  const number = Number(text);
  if (/^\d+$/.test(text) && number > 0 && Number.isSafeInteger(number)) return number;
  throw new InvalidArgumentError('it is a whole number from 1 on.');
}
