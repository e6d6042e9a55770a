import { parentPort, workerData } from 'node:worker_threads';

import { newId } from '../../ids.js';
import { describe, isBusy, QueueFile } from './queue-file.js';
import type { Answers, Reply, Request, Requests } from './queue-protocol.js';
import type { QueueStore, Row } from './queue-store.js';

/** The thread that owns a queue's file within a process, so that no wait for the disk holds up its caller. */
const port = parentPort!;
const { path } = workerData as { path: string };
const file = new QueueFile(path, lookSoon);

const retryMs = 2;
const patienceMs = 10_000;
/** Between two looks for messages, however many commits there are: one look takes what several senders have put there. */
const shortestPauseMs = 10;
/** Leases lapse without a commit. */
const longestPauseMs = { watched: 500, unwatched: 100 };
/** A commit carries what came while the one before waited for the disk, up to about this much. */
const commitBytes = 16 * 2 ** 20;

type Asked = { call: number; run: (store: QueueStore) => Answers[keyof Answers] };
type Waiter = Requests['receive'] & { call: number; until: number };
const asked: Asked[] = [];
const sends: { call: number; rows: Row[]; bytes: number }[] = [];
const waiters: Waiter[] = [];
let closing: number | undefined;
let pauseMs = shortestPauseMs;
/** Since when each list of calls has found the lock taken. */
const busySince = new Map<object, number>();

function answer(call: number, value: Answers[keyof Answers], transfer: ArrayBuffer[] = []): void {
  port.postMessage({ call, answer: value } satisfies Reply, transfer);
}

/** Runs `work` on the store; calls stay where they are while the lock is taken, and are told when it fails. */
function attempt(calls: { call: number }[], work: () => void): void {
  try {
    if (calls.length > 0) work();
    busySince.delete(calls);
  } catch (error) {
    if (isBusy(error)) {
      const since = busySince.get(calls) ?? Date.now();
      busySince.set(calls, since);
      if (Date.now() - since < patienceMs) return;
    }
    busySince.delete(calls);
    const failure = describe(error, path);
    for (const { call } of calls.splice(0)) port.postMessage({ call, failure } satisfies Reply);
  }
}

function answerAsked(): void {
  for (let first = asked[0]; first !== undefined; first = asked[0]) {
    answer(first.call, file.use(first.run));
    asked.shift();
  }
}

function commitSends(): void {
  let bytes = 0;
  const together = sends.filter((send, index) => (bytes += send.bytes) <= commitBytes || index === 0);
  file.use((store) => store.send(together.flatMap(({ rows }) => rows)));
  for (const { call } of sends.splice(0, together.length)) answer(call, null);
  file.used();
  pauseMs = shortestPauseMs;
}

function serveWaiters(): void {
  for (let first = waiters[0]; first !== undefined; first = waiters[0]) {
    const want = first;
    const rows = file.use((store) => store.take(want));
    if (rows.length === 0) break;
    waiters.shift();
    answer(
      want.call,
      rows,
      rows.map(({ body }) => body),
    );
    file.used();
    pauseMs = shortestPauseMs;
  }
}

function endWaiting(call: number): void {
  const index = waiters.findIndex((waiter) => waiter.call === call);
  if (index < 0) return;
  waiters.splice(index, 1);
  answer(call, []);
}

let timer: NodeJS.Timeout | undefined;
let lookedAt = 0;
let soon: NodeJS.Immediate | undefined;

function turn(): void {
  clearTimeout(timer);
  clearImmediate(soon);
  soon = undefined;
  attempt(asked, answerAsked);
  attempt(sends, commitSends);
  attempt(waiters, serveWaiters);
  const now = Date.now();
  lookedAt = performance.now();
  for (const { call, until } of [...waiters]) if (until <= now) endWaiting(call);
  if (closing !== undefined && asked.length + sends.length === 0) {
    end(closing);
    return;
  }
  if (busySince.size > 0) timer = setTimeout(turn, retryMs);
  else if (sends.length > 0) turnSoon();
  else if (waiters.length > 0) {
    timer = setTimeout(turn, Math.min(pauseMs, ...waiters.map(({ until }) => until - now)));
    pauseMs = Math.min(file.watched ? longestPauseMs.watched : longestPauseMs.unwatched, pauseMs * 1.25);
  }
  tidyLater(250);
}

/** Some process is committing: those who wait for messages look at once, and often until its disk is done. */
function lookSoon(): void {
  pauseMs = shortestPauseMs;
  // While the lock is taken, the next try comes sooner than this.
  if (waiters.length === 0 || busySince.size > 0 || closing !== undefined) return;
  clearTimeout(timer);
  timer = setTimeout(turn, Math.max(0, lookedAt + shortestPauseMs - performance.now()));
}

/** After what else has come in the meantime, so that it shares the commit. */
function turnSoon(): void {
  soon ??= setImmediate(turn);
}

let tidying: NodeJS.Timeout | undefined;

function tidyLater(ms: number): void {
  tidying ??= setTimeout(tidy, ms);
}

function tidy(): void {
  tidying = undefined;
  let againMs: number | undefined = 250;
  try {
    againMs = file.tidy();
  } catch {
    // Tidying is never owed: the next call of somebody finds and tells what is wrong.
  }
  if (againMs !== undefined) tidyLater(againMs);
}

function end(call: number): void {
  clearTimeout(tidying);
  file.close();
  answer(call, null);
  port.close();
}

function take(request: Request): void {
  const { call } = request;
  if (request.do === 'send') {
    let at = 0;
    const { messages, bodies } = request.of;
    const rows = messages.map(({ head, bytes }) => {
      const body = new Uint8Array(bodies, at, bytes);
      at += bytes;
      return { id: newId(), head, body };
    });
    sends.push({ call, rows, bytes: at });
  } else if (request.do === 'receive') waiters.push({ ...request.of, call, until: Date.now() + request.of.waitMs });
  else if (request.do === 'abort') endWaiting(request.of.receive);
  else if (request.do === 'settle') {
    const { receipts, leaseMs } = request.of;
    const run = (store: QueueStore) => {
      file.used();
      return leaseMs === undefined ? store.acknowledge(receipts) : store.extend(receipts, leaseMs);
    };
    asked.push({ call, run });
  } else if (request.do === 'backlog') asked.push({ call, run: (store) => store.backlog() });
  else if (request.do === 'check') asked.push({ call, run: () => file.check() });
  else {
    closing = call;
    for (const waiter of [...waiters]) endWaiting(waiter.call);
  }
  turnSoon();
}

port.on('message', take);
