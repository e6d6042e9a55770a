// What all profiles of the tests share: steps, each with its name and its time, and what was left out.
import { spawn } from 'node:child_process';

import { root } from '../services/install.mjs';

export const inCi = (process.env.CI ?? '') !== '';
const leftOut = [];
/** The programs that run now, and what to do before this one goes, the latest first. */
const running = new Set();
const endings = [];

/** Why the tests end here. */
export class Stopped extends Error {}

// A Ctrl-C reaches what runs by the terminal too; a signal to this process alone does not.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'])
  process.once(signal, async () => {
    for (const child of running) child.kill('SIGTERM');
    await end();
    process.exit(1);
  });

/** `then` is called once the tests are over, however they end. */
export function atEnd(then) {
  endings.push(then);
}

export async function end() {
  for (const then of endings.splice(0).reverse()) await then();
}

/** `run` resolves with an exit status, or with nothing where all is well. */
export async function step(name, run) {
  console.log(`\n── ${name}`);
  const began = Date.now();
  if (((await run()) ?? 0) !== 0) throw new Stopped(`${name} failed`);
  console.log(`── ${name}: ${((Date.now() - began) / 1000).toFixed(0)} s`);
}

/**
 * What each of these comes to, at the same time. Where one fails the others go on to their end: what a test has started is ended
 * by nobody else.
 */
export async function beside(...steps) {
  const outcomes = await Promise.allSettled(steps);
  const failed = outcomes.find(({ status }) => status === 'rejected');
  if (failed !== undefined) throw failed.reason;
  return outcomes.map(({ value }) => value);
}

export function npmRun(script) {
  return () => program('npm', ['run', '--silent', script]);
}

/** Resolves with its exit status once it has ended. */
export async function program(command, args, { env = {}, stdio = 'inherit' } = {}) {
  const child = spawn(command, args, { cwd: root, stdio, env: { ...process.env, ...env } });
  running.add(child);
  try {
    return await new Promise((resolve, reject) => {
      child.once('error', reject);
      child.once('close', (status) => resolve(status ?? 1));
    });
  } finally {
    running.delete(child);
  }
}

/** In CI this ends the tests. */
export function leaveOut(what, reason) {
  if (inCi) throw new Stopped(`${reason}, and CI allows nothing to be left out`);
  leftOut.push(`${what}: ${reason}`);
}

export function summary() {
  for (const line of leftOut) console.log(`left out: ${line}`);
  console.log(leftOut.length === 0 ? 'All is well.' : 'What could be run is well.');
}
