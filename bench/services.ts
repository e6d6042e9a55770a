import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { awsEnvironment } from '../test/standins/environment.js';
import { startSeaweedFs } from '../test/standins/seaweedfs.js';
import { startSqsmem } from '../test/standins/sqsmem.js';
import { root } from './contenders.js';

export interface Services {
  /** By name, to be measured. */
  readonly processes: Readonly<Record<string, number>>;
  stop(): Promise<void>;
}

/** What stands in for SQS and S3, for the bench and all that it starts: `sqsmem`, which costs a sixth of ElasticMQ, and SeaweedFS. */
export async function startServices(): Promise<Services> {
  install();
  Object.assign(process.env, awsEnvironment);
  const folder = mkdtempSync(join(tmpdir(), 'catchment-bench-services-'));
  const [sqs, s3] = await Promise.all([startSqsmem(part(folder, 'sqs')), startSeaweedFs(part(folder, 's3'))]);
  Object.assign(process.env, { BENCH_SQS: sqs.endpoint, BENCH_S3: s3.endpoint });
  return {
    processes: { sqs: sqs.pid, s3: s3.pid },
    async stop() {
      await Promise.all([sqs.stop(), s3.stop()]);
      rmSync(folder, { recursive: true });
    },
  };
}

function part(folder: string, name: string): string {
  const path = join(folder, name);
  mkdirSync(path);
  return path;
}

function install(): void {
  const { stdout } = spawnSync(process.execPath, [join(root, 'scripts', 'services.mjs'), 'aws'], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  for (const [, name, path] of stdout.matchAll(/^export (\w+)='(.*)'$/gm)) process.env[name!] = path!;
}
