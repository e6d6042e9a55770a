import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync, statSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

import { localQueue } from '../../src/providers/local/queue.js';
import { seeded } from './random.js';

const strikes = 12;
const jiti = join(dirname(createRequire(import.meta.url).resolve('jiti/package.json')), 'lib/jiti-cli.mjs');

/** What all processes have said, told apart by their first word. */
class Ledger {
  readonly sending = new Set<string>();
  readonly sent = new Set<string>();
  readonly acknowledging = new Set<string>();
  readonly acknowledged = new Set<string>();
  /** The id and sentAt of each message, as every delivery said. */
  readonly got = new Map<string, Set<string>>();
  readonly surprises: string[] = [];
  deliveries = 0;

  note(line: string): void {
    const [what, number, ...rest] = line.split(' ') as [string, string, ...string[]];
    if (what === 'got') this.#noteDelivery(number, rest.join(' '));
    else if (what === 'sending' || what === 'sent' || what === 'acknowledging' || what === 'acknowledged') {
      this[what].add(number);
    } else this.surprises.push(line);
  }

  #noteDelivery(number: string, identity: string): void {
    this.deliveries++;
    const identities = this.got.get(number) ?? new Set();
    this.got.set(number, identities.add(identity));
  }
}

interface User {
  readonly role: 'producer' | 'consumer';
  readonly process: ChildProcess;
  readonly ended: Promise<unknown>;
  /** Its stdout is a file: a pipe that is read too slowly would refuse its writes. */
  readonly said: string;
  /** Resolves when it has said about so many lines more. */
  says(lines: number): Promise<void>;
}

const running = new Set<ChildProcess>();

function start(role: User['role'], dataDir: string, seed: number): User {
  const said = join(dataDir, `${role}-${seed}`);
  const stdout = openSync(said, 'a');
  const child = spawn(
    process.execPath,
    [jiti, join(import.meta.dirname, 'queue-user.ts'), role, dataDir, String(seed)],
    {
      stdio: ['pipe', stdout, 'inherit'],
    },
  );
  closeSync(stdout);
  running.add(child);
  const ended = once(child, 'exit').then(() => running.delete(child));
  const says = async (lines: number): Promise<void> => {
    const enough = statSync(said).size + lines * 30;
    while (statSync(said).size < enough) {
      if (child.exitCode !== null) throw new Error(`a ${role} ended by itself with status ${child.exitCode}`);
      await delay(5);
    }
  };
  return { role, process: child, ended, said, says };
}

let dataDir: string;
beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'catchment-queue-faults-'));
});
afterAll(async () => {
  for (const child of running) child.kill('SIGKILL');
  await rm(dataDir, { recursive: true });
});

test('processes killed and stopped at any moment lose no message that was sent, and bring back none that is done', async () => {
  await seeded('test/faults/queue.test.ts', async (random) => {
    const everyone: User[] = [];
    const begin = (role: User['role']): User => {
      const user = start(role, dataDir, Math.floor(random() * 2 ** 31));
      everyone.push(user);
      return user;
    };
    const users = [begin('producer'), begin('consumer'), begin('producer'), begin('consumer')];
    for (let strike = 0; strike < strikes; strike++) {
      const victim = users.shift()!;
      await victim.says(1 + Math.floor(random() * 60));
      await delay(random() * 10);
      if (random() < 0.25) {
        // Stopped perhaps within a transaction, while the others go on or wait; longer than its leases.
        victim.process.kill('SIGSTOP');
        await delay(600);
        victim.process.kill('SIGCONT');
        users.push(victim);
      } else {
        victim.process.kill('SIGKILL');
        await victim.ended;
        users.push(begin(victim.role));
      }
    }
    for (const user of users) user.process.kill('SIGKILL');
    await Promise.all(users.map(({ ended }) => ended));

    const ledger = new Ledger();
    for (const { said } of everyone) {
      // What stands behind the last line end was cut off by the kill.
      for (const line of readFileSync(said, 'utf8').split('\n').slice(0, -1)) ledger.note(line);
    }

    // The run was one: much was sent and done, and some of it came more than once.
    expect(ledger.sent.size).toBeGreaterThan(100);
    expect(ledger.acknowledged.size).toBeGreaterThan(100);
    expect(ledger.deliveries).toBeGreaterThan(ledger.got.size);

    const left = await drain(dataDir);
    expect(ledger.surprises).toEqual([]);
    const missing = [...ledger.sent].filter((number) => !left.has(number) && !ledger.acknowledging.has(number));
    expect(missing).toEqual([]);
    expect([...left.keys()].filter((number) => ledger.acknowledged.has(number))).toEqual([]);
    expect([...left.keys(), ...ledger.got.keys()].filter((number) => !ledger.sending.has(number))).toEqual([]);
    for (const [number, identity] of left) ledger.got.set(number, (ledger.got.get(number) ?? new Set()).add(identity));
    expect([...ledger.got].filter(([, identities]) => identities.size > 1)).toEqual([]);
  });
});

/** The id and sentAt of all that is left, once every lease of the dead has lapsed. */
async function drain(dataDir: string): Promise<Map<string, string>> {
  const queue = localQueue().open({ pipeline: 'faults', dataDir, part: 'source-app' });
  const left = new Map<string, string>();
  const { signal } = new AbortController();
  for (;;) {
    const { waiting, leased } = await queue.backlog();
    if (waiting + leased === 0) break;
    const got = await queue.receive({ messages: 256, waitMs: 1000, leaseMs: 60_000, signal });
    for (const { id, sentAt, attributes } of got) left.set(attributes['number']!, `${id} ${sentAt.getTime()}`);
    await queue.acknowledge(got.map(({ receipt }) => receipt));
  }
  await queue.close();
  return left;
}
