#!/usr/bin/env node
import { readFileSync } from 'node:fs';

import { Command, CommanderError } from 'commander';

import { registerBackfill } from './commands/backfill.js';
import { registerCheck } from './commands/check.js';
import { registerDev } from './commands/dev.js';
import { registerDrainDlq } from './commands/drain-dlq.js';
import { registerInit } from './commands/init.js';
import { registerMigrate } from './commands/migrate.js';
import { registerPoll } from './commands/poll.js';
import { registerProvision } from './commands/provision.js';
import { registerQuery } from './commands/query.js';
import { registerReconcile } from './commands/reconcile.js';
import { registerRejected } from './commands/rejected.js';
import { registerSend } from './commands/send.js';
import { registerShow } from './commands/show.js';
import { registerStatus } from './commands/status.js';
import { registerStuck } from './commands/stuck.js';
import { registerTail } from './commands/tail.js';
import { registerWorker } from './commands/worker.js';
import { drained, exitStatus, reportError } from './output.js';

// The options of a call that commander could not read are not known otherwise.
const common = {
  ...(process.argv.includes('--json') && { json: true as const }),
  ...(process.argv.includes('--debug') && { debug: true as const }),
};

process.exitCode = await run();
await Promise.all([drained(process.stdout), drained(process.stderr)]);
// Native drivers and connections may keep the process alive when all is said.
process.exit();

async function run(): Promise<number> {
  try {
    await program().parseAsync();
    return Number(process.exitCode ?? exitStatus.done);
  } catch (error) {
    if (!(error instanceof CommanderError)) return reportError(error, common);
    if (error.exitCode === 0) return exitStatus.done;
    if (common.json === true)
      process.stdout.write(`${JSON.stringify({ error: { type: 'UsageError', message: usage(error) } })}\n`);
    return exitStatus.wrong;
  }
}

function program(): Command {
  const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
    version: string;
  };
  const program = new Command('catchment')
    .description("Takes an app's events off a queue into a raw data lake and a warehouse. Not one is dropped.")
    .version(version)
    .exitOverride()
    .showHelpAfterError('(--help shows how it is called)');
  if (common.json === true) program.configureOutput({ outputError: () => undefined, writeErr: () => undefined });

  for (const register of [
    registerInit,
    registerDev,
    registerSend,
    registerStatus,
    registerStuck,
    registerTail,
    registerRejected,
    registerShow,
    registerQuery,
    registerReconcile,
    registerBackfill,
    registerCheck,
    registerProvision,
    registerMigrate,
    registerWorker,
    registerPoll,
    registerDrainDlq,
  ])
    register(program);
  program.commands.forEach(addCommonOptions);
  return program;
}

/** The options that every command takes, where it does not name them itself. */
function addCommonOptions(command: Command): void {
  const add = (flags: string, description: string): void => {
    const long = /--[a-z]+/.exec(flags)?.[0];
    if (!command.options.some((option) => option.long === long)) command.option(flags, description);
  };
  add('--config <file>', 'the config (default: catchment.config.ts of this folder)');
  add('--dir <dir>', "where .catchment/ is kept (default: the config's folder)");
  add('--json', 'answer with one JSON document on stdout');
  add('--debug', 'show the stack of an error');
}

function usage(error: CommanderError): string {
  return error.message.replace(/^error: /, '');
}
