/** Tells how much of the SDK is loaded: once a config's parts are made and opened, and after the first call of one. */
import { createRequire } from 'node:module';

import { s3, sqs } from '../../src/index.js';
import { awsEnvironment } from '../standins/environment.js';

Object.assign(process.env, awsEnvironment);

const { cache } = createRequire(import.meta.url);
const loaded = (): number => Object.keys(cache).filter((path) => path.includes('@aws-sdk')).length;

const place = { pipeline: 'test', dataDir: '.catchment', part: 'secondary' };
// Nobody answers there.
const queue = sqs({ queueUrl: 'http://127.0.0.1:1/000000000000/app', region: 'us-east-1' }).open(place);
s3({ bucket: 'events' }).open({ ...place, part: 'lake' });
console.log(`opened ${loaded()}`);
await queue.backlog().catch(() => undefined);
console.log(`called ${loaded()}`);
await queue.close();
process.exit();
