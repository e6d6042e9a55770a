import type { BucketMetadata } from '@google-cloud/storage';

import { wholeBody, type Fault, type Outcome } from '../standins/faults/fault.js';

/**
 * A bucket's settings, of which fake-gcs-server keeps none: as the JSON API has them, in memory. `unknown`: names that it does
 * not keep, like an older service.
 */
export class Settings {
  readonly fault: Fault;
  now: BucketMetadata | undefined;
  /** Of the calls that changed something. */
  readonly asked: { readonly method: string; readonly query: string; readonly body: BucketMetadata }[] = [];

  constructor(now?: BucketMetadata, unknown: readonly string[] = []) {
    this.now = now === undefined ? undefined : { metageneration: '1', ...now };
    this.fault = {
      name: 'settings',
      run: async (call, { next, happened }) => {
        if (!/^\/storage\/v1\/b(\/[^/]+)?$/.test(call.path)) return next();
        happened();
        if (call.method === 'GET') return this.now === undefined ? reply(404, {}) : reply(200, this.now);
        const given = JSON.parse(String(await call.body())) as BucketMetadata;
        this.asked.push({ method: call.method, query: String(call.query), body: given });
        if (call.method === 'POST') {
          const outcome = await next();
          if (typeof outcome !== 'string') await wholeBody(outcome.body);
          this.now = {};
        }
        const generation = call.query.get('ifMetagenerationMatch');
        if (generation !== null && generation !== this.now?.metageneration) return reply(412, {});
        this.change(Object.fromEntries(Object.entries(given).filter(([name]) => !unknown.includes(name))));
        return reply(200, this.now!);
      },
    };
  }

  /** As somebody else may at any time. */
  change(settings: BucketMetadata): void {
    const iamConfiguration = { ...this.now?.iamConfiguration, ...settings.iamConfiguration };
    const metageneration = String(Number(this.now?.metageneration ?? 0) + 1);
    this.now = { ...this.now, ...settings, iamConfiguration, metageneration };
  }
}

function reply(status: number, body: object): Outcome {
  const bytes = Buffer.from(JSON.stringify(body));
  return { status, headers: ['content-type', 'application/json', 'content-length', String(bytes.length)], body: bytes };
}
