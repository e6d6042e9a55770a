import { mkdirSync } from 'node:fs';
import { join } from 'node:path';

import { installedAt, StandIn } from './process.js';

/** Those that have nothing to do with where it is; docker-compose.yml has the same. */
export const seaweedFsOptions = {
  's3.port.iceberg': 0,
  's3.port.lance': 0,
  // It listens even so; only its pages are off.
  'admin.ui': false,
  webdav: false,
  'master.telemetry': false,
  // With the few volumes that it would allow itself here, the third bucket answers 500 to every put.
  'volume.max': 4_000,
  'master.volumeSizeLimitMB': 64,
} as const;

/**
 * SeaweedFS, the stand-in for S3. It lets anyone in and outlasts `kill -9`. Each bucket takes volumes of its own: hundreds of
 * buckets are well, thousands are not.
 */
export async function startSeaweedFs(folder: string): Promise<StandIn> {
  const weed = installedAt('CATCHMENT_WEED', 'seaweedfs', 'bin', 'weed');
  return await StandIn.start({ name: 'seaweedfs', ports: 10, command: commandOf(weed), answers }, folder);
}

function commandOf(weed: string) {
  return (folder: string, ports: readonly number[]): readonly [string, ...string[]] => {
    const [s3, s3Grpc, master, masterGrpc, volume, volumeGrpc, filer, filerGrpc, admin, adminGrpc] = ports;
    const dir = join(folder, 'data');
    mkdirSync(dir, { recursive: true });
    const options = {
      dir,
      ip: '127.0.0.1',
      'ip.bind': '127.0.0.1',
      's3.port': s3,
      's3.port.grpc': s3Grpc,
      's3.localSocket': join(folder, 's3.sock'),
      'master.port': master,
      'master.port.grpc': masterGrpc,
      'volume.port': volume,
      'volume.port.grpc': volumeGrpc,
      'filer.port': filer,
      'filer.port.grpc': filerGrpc,
      'filer.localSocket': join(folder, 'filer.sock'),
      'admin.port': admin,
      'admin.port.grpc': adminGrpc,
      ...seaweedFsOptions,
    };
    return [weed, 'mini', ...Object.entries(options).map(([name, value]) => `-${name}=${String(value)}`)];
  };
}

/** S3 answers before there is a volume that it could put an object into; the master knows when there is. */
async function answers([s3, , master]: readonly number[]): Promise<boolean> {
  const signal = AbortSignal.timeout(5_000);
  const listing = await fetch(`http://127.0.0.1:${s3!}/`, { signal });
  await listing.text();
  const status = await fetch(`http://127.0.0.1:${master!}/dir/status`, { signal });
  const { Topology } = (await status.json()) as { Topology: { Max: number } };
  return listing.ok && Topology.Max > 0;
}
