/** Starts a stand-in and says its pid, to be killed: `standin-user.ts FOLDER`. */
import { StandIn } from './process.js';

const server = `require('node:http').createServer((_, response) => response.end()).listen(+process.argv[1], '127.0.0.1')`;
const standIn = await StandIn.start(
  {
    name: 'program',
    ports: 1,
    command: (_folder, [port]) => [process.execPath, '-e', server, String(port)],
    answers: async ([port]) => (await fetch(`http://127.0.0.1:${port!}/`)).ok,
  },
  process.argv[2]!,
);
console.log(`runs ${standIn.pid}`);
process.stdin.resume();
