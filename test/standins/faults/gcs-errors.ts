import { said } from './aws-errors.js';
import type { Fault } from './fault.js';
import { answer } from './generic.js';

/**
 * An error as Cloud Storage's JSON API answers it: `gcsError(429, 'rateLimitExceeded')`, `gcsError(412, 'conditionNotMet')`,
 * `gcsError(503, 'backendError')`.
 */
export function gcsError(status: number, reason: string): Fault {
  const errors = [{ message: said, domain: 'global', reason }];
  const body = JSON.stringify({ error: { code: status, message: said, errors } });
  return answer(status, body, { 'content-type': 'application/json; charset=UTF-8' });
}
