// Stands in for the worker or the poller: node dev-child.mjs NAME FILE drains|hangs|crashes
// It writes what happens to it to FILE, a line each, and ends as the last argument says.
import { appendFileSync } from 'node:fs';
import { setInterval, setTimeout } from 'node:timers';

const [name, file, how] = process.argv.slice(2);
const note = (what) => appendFileSync(file, `${name} ${what}\n`);

if (how === 'crashes') {
  note('started');
  console.error('it went wrong');
  process.exit(3);
}
let asked = false;
const end = () => {
  if (asked) return;
  asked = true;
  note('asked');
  if (how === 'hangs') return;
  setTimeout(() => {
    note('ended');
    process.exit(0);
  }, 50);
};
process.stdin.resume().on('end', end);
process.on('SIGTERM', end);
process.on('SIGINT', () => note('interrupted'));
// Said once it listens: before that a SIGTERM would end it whatever its manner.
note(`started ${process.pid} ${process.env.TEMPORAL_ADDRESS}`);
setInterval(() => undefined, 60_000);
