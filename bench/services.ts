import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { awsEnvironment } from '../test/standins/environment.js';
import { startFakeGcs } from '../test/standins/fake-gcs.js';
import type { StandIn } from '../test/standins/process.js';
import { startPubsub } from '../test/standins/pubsub.js';
import { startSeaweedFs } from '../test/standins/seaweedfs.js';
import { startSqsmem } from '../test/standins/sqsmem.js';
import { root } from './contenders.js';
import type { Cloud } from './ingest.js';

export interface Services {
  /** By name, to be measured. */
  readonly processes: Readonly<Record<string, number>>;
  stop(): Promise<void>;
}

/** What stands in for a cloud, for the bench and all that it starts. */
export async function startServices(cloud: Cloud): Promise<Services> {
  install(cloud);
  const folder = mkdtempSync(join(tmpdir(), 'catchment-bench-services-'));
  const standIns = await (cloud === 'aws' ? startAws(folder) : startGcp(folder));
  return {
    processes: Object.fromEntries(Object.entries(standIns).map(([name, { pid }]) => [name, pid])),
    async stop() {
      await Promise.all(Object.values(standIns).map((standIn) => standIn.stop()));
      rmSync(folder, { recursive: true });
    },
  };
}

type StandIns = Readonly<Record<string, StandIn>>;

/** `sqsmem` costs a sixth of ElasticMQ. */
async function startAws(folder: string): Promise<StandIns> {
  Object.assign(process.env, awsEnvironment);
  const [sqs, s3] = await Promise.all([startSqsmem(part(folder, 'sqs')), startSeaweedFs(part(folder, 's3'))]);
  Object.assign(process.env, { BENCH_SQS: sqs.endpoint, BENCH_S3: s3.endpoint });
  return { sqs, s3 };
}

async function startGcp(folder: string): Promise<StandIns> {
  const [pubsub, gcs] = await Promise.all([startPubsub(part(folder, 'pubsub')), startFakeGcs(part(folder, 'gcs'))]);
  const { endpoint: BENCH_PUBSUB, admin: BENCH_MONITORING } = pubsub;
  Object.assign(process.env, { BENCH_PUBSUB, BENCH_MONITORING, BENCH_GCS: gcs.endpoint });
  return { pubsub, gcs };
}

function part(folder: string, name: string): string {
  const path = join(folder, name);
  mkdirSync(path);
  return path;
}

function install(cloud: Cloud): void {
  const { stdout } = spawnSync(process.execPath, [join(root, 'scripts', 'services.mjs'), cloud], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  for (const [, name, path] of stdout.matchAll(/^export (\w+)='(.*)'$/gm)) process.env[name!] = path!;
}
