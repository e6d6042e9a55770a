/** Sends and receives through an emulator, by the options in its argument; says what came, or what is wrong. */
import { pubsub, type PubsubOptions } from '../../src/index.js';

const options = JSON.parse(process.argv[2]!) as PubsubOptions;
const queue = pubsub(options).open({ pipeline: 'test', dataDir: 'unused', part: 'secondary' });
try {
  await queue.provision!('apply', { surviveMs: 86_400_000, leaseMs: 300_000 });
  await queue.send([{ body: Buffer.from('came'), attributes: {} }]);
  const { signal } = new AbortController();
  const [delivery] = await queue.receive({ messages: 1, waitMs: 10_000, leaseMs: 300_000, signal });
  console.log(Buffer.from(delivery!.body).toString());
} catch (error) {
  console.log(`${(error as Error).name}: ${(error as Error).message}`);
}
await queue.close();
process.exit();
