import { randomUUID } from 'node:crypto';

import { Unavailable } from '../../src/errors.js';
import { Bucket } from '../../src/providers/gcp/gcs-bucket.js';
import type { Patience } from '../../src/providers/gcp/gcs-http.js';
import type { GcsSettings } from '../../src/providers/gcp/gcs-options.js';
import { GcsLake } from '../../src/providers/gcp/gcs.js';
import { said } from '../standins/faults/aws-errors.js';
import type { Call, Fault } from '../standins/faults/fault.js';
import { answer } from '../standins/faults/generic.js';

/** A bucket of a new name, which need not be there. */
export function bucketAt(endpoint: string, more: Partial<GcsSettings> = {}, patience?: Patience): Bucket {
  const settings = { bucket: `catchment-${randomUUID()}`, prefix: '', location: 'EU', projectId: 'test', ...more };
  return new Bucket({ ...settings, endpoint }, patience);
}

/** A new bucket and its lake. */
export async function newLake(
  endpoint: string,
  more: Partial<GcsSettings> = {},
  patience?: Patience,
): Promise<{ lake: GcsLake; bucket: Bucket }> {
  const bucket = bucketAt(endpoint, more, patience);
  const body = JSON.stringify({ name: bucket.name });
  const headers = { 'content-type': 'application/json' };
  const made = await fetch(`${endpoint}/storage/v1/b?project=test`, { method: 'POST', headers, body });
  expect(made.status).toBe(200);
  return { lake: new GcsLake(bucket), bucket };
}

type Kind = 'put' | 'get' | 'look' | 'list' | 'remove' | 'bucket';

/** What a call of the JSON API asks for. */
export function kindOf({ method, path, query }: Call): Kind {
  if (path.startsWith('/upload/')) return 'put';
  if (/\/o\/[^/]+$/.test(path)) return method === 'DELETE' ? 'remove' : query.get('alt') === 'media' ? 'get' : 'look';
  return path.endsWith('/o') ? 'list' : 'bucket';
}

export function on(...kinds: Kind[]): { is: (call: Call) => boolean } {
  return { is: (call) => kinds.includes(kindOf(call)) };
}

/** An error as the JSON API answers it. */
export function errorOf(status: number, reason: string): Fault {
  const errors = [{ domain: 'global', reason, message: said }];
  const headers = { 'content-type': 'application/json; charset=UTF-8' };
  return answer(status, JSON.stringify({ error: { code: status, message: said, errors } }), headers);
}

/** Notes what kinds of calls come by. */
export function note(kinds: Kind[]): Fault {
  return {
    name: 'note',
    run(call, { next }) {
      kinds.push(kindOf(call));
      return next();
    },
  };
}

/** What it throws is `Unavailable`, and holds nothing that the store quoted. */
export async function failureOf(call: Promise<unknown>): Promise<Error> {
  const error: unknown = await call.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(Unavailable);
  expect((error as Error).message).not.toContain(said);
  return error as Error;
}
