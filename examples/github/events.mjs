// Prints real webhook payloads of GitHub, one event a line:
// {"event":"issues","delivery":"9f…","payload":{…}}
import { createHash } from 'node:crypto';
import { createRequire } from 'node:module';

const webhooks = createRequire(import.meta.url)('@octokit/webhooks-examples');
let count = 0;

for (const { name: event, examples } of webhooks) {
  for (const payload of examples) {
    // GitHub sends an id with each delivery (X-GitHub-Delivery). These are made up, but the same each time: sent once
    // more with `--id /delivery`, an event is known as the one that was there before.
    const delivery = createHash('sha256')
      .update(`${count++} ${JSON.stringify(payload)}`)
      .digest('hex')
      .slice(0, 32);
    process.stdout.write(`${JSON.stringify({ event, delivery, payload })}\n`);
  }
}
