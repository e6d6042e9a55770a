import { mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { loadClientConnectConfig } from '@temporalio/envconfig';

import { describeDuration } from '../durations.js';
import { Occupied } from '../errors.js';
import { holder, tryLock, type Lock } from '../locks.js';
import { aborted } from '../signals.js';
import { readDevRecord, type DevRecord } from '../temporal.js';
import { forPeople, withoutRepeats } from './child-lines.js';
import { showProgress, type Progress } from './live-line.js';
import { logFile } from './log-file.js';
import { choosePorts } from './ports.js';
import { devRecorder, endLeftBehind, type DevRecorder } from './record.js';
import type { Screen } from './screen.js';
import { endRecordedServer } from './server-record.js';
import type { StopSignals } from './stop-signals.js';
import { supervise, type Supervisor } from './supervise.js';
import { findTemporal } from './temporal-binary.js';
import { recordFile, startTemporal, waitForTemporal, type TemporalServer } from './temporal-server.js';

/** A process of ours beside the Temporal server. */
export interface DevChild {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
}

export interface DevOptions {
  readonly dataDir: string;
  /** Started in this order once Temporal answers, with its address in TEMPORAL_ADDRESS; they end in the reverse order. */
  readonly children: readonly DevChild[];
  /** Of a Temporal that runs already; else `TEMPORAL_ADDRESS` or the profile's; else a server is started. */
  readonly temporalAddress?: string;
  /** 0: a free one. Not given: 7233 and 8233, or free ones where they are taken. */
  readonly temporalPort?: number;
  readonly uiPort?: number;
  /** Of the first child's metrics, each other child has the next port; 0: free ones. Not given: no metrics. */
  readonly metricsPort?: number;
  /** How long the children may take to finish what is under way. */
  readonly drainMs: number;
  readonly screen: Screen;
  readonly signals: StopSignals;
  readonly progress?: () => Promise<Progress>;
  /** Temporal answers and the children were started. */
  readonly onUp?: (record: DevRecord) => void;
}

/**
 * Runs everything on one machine until it is asked to stop. Resolves with whether all ended by themselves, in time. Throws
 * `Occupied` where another `dev` has the folder or a port, `ConfigError` where no Temporal server is to be had.
 */
export async function runDev(options: DevOptions): Promise<boolean> {
  const { dataDir, signals, screen } = options;
  mkdirSync(dataDir, { recursive: true });
  const lock = ownFolder(dataDir);
  const record = devRecorder(dataDir);
  let temporal: Temporal | undefined;
  let children: Supervisor[] = [];
  try {
    await endLeftBehind(dataDir, screen.say);
    const measured = await withMetrics(options, record);
    temporal = await openTemporal(options, record);
    const { address } = temporal;
    children = measured.map((child) => startChild(child, address, options, record));
    options.onUp?.(readDevRecord(dataDir)!);
    if (options.progress !== undefined) void showProgress(options.progress, screen, signals.drain);
    await aborted(signals.drain);
    screen.live('');
    const longest = describeDuration(options.drainMs);
    screen.say(`Finishing what is under way, for ${longest} at most (Ctrl-C again stops at once) …`);
    return await drain(children, options.drainMs, signals.now);
  } catch (error) {
    if (signals.drain.aborted) return true; // it was stopped while it started
    throw error;
  } finally {
    await Promise.all(children.map((child) => child.kill()));
    await endTemporal(temporal?.server, signals.now);
    record.remove();
    lock.release();
  }
}

function ownFolder(dataDir: string): Lock {
  const file = join(dataDir, 'dev.lock');
  const lock = tryLock(file, { what: `catchment dev on ${dirname(dataDir)}` });
  if (lock !== undefined) return lock;
  const owner = holder(file);
  const who = owner === undefined ? 'another catchment dev' : `${owner.what} (pid ${owner.pid}, since ${owner.since})`;
  throw new Occupied(`${who} runs already; stop it first, or give this one a folder of its own with --dir`);
}

/** The children with a port each, which they keep through restarts; as they are where no metrics were asked for. */
async function withMetrics(
  { children, metricsPort, screen }: DevOptions,
  record: DevRecorder,
): Promise<readonly DevChild[]> {
  if (metricsPort === undefined) return children;
  const wishes = children.map((_, index) => {
    const asked = metricsPort === 0 ? 0 : metricsPort + index;
    return { flag: '--metrics-port', asked, usual: asked };
  });
  const ports = await choosePorts(wishes, screen.say);
  const addresses = children.map(({ name }, index) => [name, `127.0.0.1:${ports[index]!}`] as const);
  record.add({ metrics: Object.fromEntries(addresses.map(([name, address]) => [name, `http://${address}/metrics`])) });
  for (const [name, address] of addresses) screen.say(`Metrics of the ${name}: http://${address}/metrics`);
  return children.map((child, index) => ({ ...child, args: [...child.args, '--metrics-port', addresses[index]![1]] }));
}

interface Temporal {
  readonly address: string;
  /** Undefined where it is not ours. */
  readonly server?: TemporalServer;
}

/** Answers when this resolves. What an earlier `dev` left behind is gone before the ports are chosen. */
async function openTemporal(options: DevOptions, record: DevRecorder): Promise<Temporal> {
  const { dataDir, screen, signals } = options;
  const { connectionOptions, namespace = 'default' } = loadClientConnectConfig();
  const address = options.temporalAddress ?? connectionOptions.address;
  if (address !== undefined) {
    await waitForTemporal({ ...connectionOptions, address }, screen.say, signals.drain);
    record.add({ temporalAddress: address });
    return { address };
  }
  const find = { binDir: join(dataDir, 'bin'), env: process.env, say: screen.say, signal: signals.drain };
  const program = await findTemporal(find);
  await endRecordedServer(recordFile(dataDir), 3_000);
  const wishes = [
    { flag: '--temporal-port', asked: options.temporalPort, usual: 7233 },
    { flag: '--ui-port', asked: options.uiPort, usual: 8233 },
  ];
  const [port, uiPort] = (await choosePorts(wishes, screen.say)) as [number, number];
  const server = await startTemporal({
    ...{ dataDir, program, port, uiPort, namespace, say: screen.say, signal: signals.drain },
    onStart: (watcherPid) => record.process('temporal', watcherPid),
  });
  const temporalAddress = `127.0.0.1:${port}`;
  const uiUrl = `http://127.0.0.1:${uiPort}`;
  record.add({ temporalAddress, uiUrl });
  screen.say(`Temporal UI: ${uiUrl}`);
  return { address: temporalAddress, server };
}

function startChild(
  child: DevChild,
  address: string,
  { dataDir, screen }: DevOptions,
  record: DevRecorder,
): Supervisor {
  const file = join(dataDir, 'logs', `${child.name}.log`);
  const log = logFile(file);
  const say = withoutRepeats(screen.say);
  return supervise({
    ...child,
    env: { ...process.env, TEMPORAL_ADDRESS: address },
    onStart: (pid) => record.process(child.name, pid),
    onLine(line) {
      log(line);
      const text = forPeople(line);
      if (text !== undefined) say(`${child.name} | ${text}`);
    },
    onEnd: (how, restartInMs) =>
      say(`${child.name} ${how}; starting again in ${describeDuration(restartInMs)} (log: ${file})`),
  });
}

/**
 * The last started first: the poller hands over what it holds while the worker still works. Each has its share of the time before
 * the next is asked too, and what is left of it after.
 */
async function drain(children: readonly Supervisor[], drainMs: number, now: AbortSignal): Promise<boolean> {
  const pause = (ms: number): Promise<void> => sleep(ms, undefined, { signal: now, ref: false }).catch(() => undefined);
  let left = children.length;
  const overall = pause(drainMs);
  const ends: Promise<unknown>[] = [];
  for (const child of children.toReversed()) {
    const gone = child.stop().then(() => (left -= 1));
    ends.push(gone);
    await Promise.race([gone, pause(drainMs / children.length)]);
  }
  await Promise.race([Promise.all(ends), overall]);
  return left === 0;
}

async function endTemporal(temporal: TemporalServer | undefined, now: AbortSignal): Promise<void> {
  if (!now.aborted) await Promise.race([temporal?.stop(), aborted(now)]);
  if (now.aborted) await temporal?.kill();
}
