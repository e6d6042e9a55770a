// `npm test`: what must hold before a change lands, the cheapest first; stops at the first step that fails.
//     npm test [-- --results DIR]        DIR: for the results of each run of Jest, as JSON
// With CI set nothing may be left out; else what this machine cannot run is named, with the reason.
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative, resolve } from 'node:path';
import { parseArgs } from 'node:util';

const root = join(import.meta.dirname, '..');
const { values: options } = parseArgs({ options: { results: { type: 'string' } } });
const results = resolve(options.results ?? mkdtempSync(join(tmpdir(), 'catchment-results-')));
mkdirSync(results, { recursive: true });
const inCi = (process.env.CI ?? '') !== '';
const leftOut = [];

step('lint', npmRun('lint'));
step('format', npmRun('format'));
step('types', npmRun('types'));
step('unused code', npmRun('unused'));
step('build', npmRun('build'));
const server = installServer();
step('unit and contract tests', jest('unit', '--testPathIgnorePatterns', 'test/(integration|faults)/'));
// Whole pipelines: two at the same time would starve each other on a small machine.
const heavy = ['integration', 'faults', '--maxWorkers=1'];
step('integration and fault tests', jest('pipeline', ...heavy, ...withoutServer()));

for (const line of leftOut) console.log(`left out: ${line}`);
if (options.results === undefined) rmSync(results, { recursive: true });
console.log(leftOut.length === 0 ? 'All is well.' : 'What could be run is well.');

function step(name, run) {
  console.log(`\n── ${name}`);
  const began = Date.now();
  if (run() !== 0) {
    console.error(`\nnpm test stopped: ${name} failed`);
    process.exit(1);
  }
  console.log(`── ${name}: ${((Date.now() - began) / 1000).toFixed(0)} s`);
}

function npmRun(script) {
  return () => spawnSync('npm', ['run', '--silent', script], { cwd: root, stdio: 'inherit' }).status;
}

function jest(name, ...args) {
  return () => {
    const outputFile = join(results, `${name}.json`);
    // A test that was given up after its time may go on for ever; that must not hold up the answer.
    const program = [
      '--experimental-vm-modules',
      '--disable-warning=ExperimentalWarning',
      join('node_modules', 'jest', 'bin', 'jest.js'),
      '--forceExit',
      '--json',
    ];
    const { status } = spawnSync(process.execPath, [...program, `--outputFile=${outputFile}`, ...args], {
      cwd: root,
      // Of Jest's two reports, the one for machines is in the file.
      stdio: ['ignore', 'ignore', 'inherit'],
      env: { ...process.env, ...server.env },
    });
    if (!existsSync(outputFile)) return 1; // it has said why
    const { numTotalTests, numPendingTests, numTodoTests } = JSON.parse(readFileSync(outputFile, 'utf8'));
    const skipped = numPendingTests + numTodoTests;
    if (numTotalTests === 0) console.error('no test ran');
    if (inCi && skipped > 0) console.error(`${skipped} tests were skipped, which CI does not allow`);
    return numTotalTests === 0 || (inCi && skipped > 0) ? 1 : status;
  };
}

/** The Temporal server, which the tests of whole pipelines start. */
function installServer() {
  const { status, stdout, stderr } = spawnSync(process.execPath, [join(root, 'scripts', 'services.mjs')], {
    encoding: 'utf8',
  });
  if (status === 0) return { env: { TEMPORAL_CLI_PATH: /'(.*)'/.exec(stdout)[1] } };
  const reason = stderr.slice(stderr.indexOf('error: ') + 'error: '.length).trim();
  if (inCi) {
    console.error(`npm test stopped: there is no Temporal server: ${reason}`);
    process.exit(1);
  }
  return { env: {}, missing: reason };
}

/** Leaves out what starts a server where there is none: whatever imports what finds one. */
function withoutServer() {
  if (server.missing === undefined) return [];
  const harness = join('test', 'integration', 'dev-harness.ts');
  const list = execFileSync('npx', ['jest', '--listTests', '--findRelatedTests', harness], {
    cwd: root,
    encoding: 'utf8',
  });
  const files = list
    .trim()
    .split('\n')
    .map((file) => relative(root, file))
    .filter((file) => /^test.(integration|faults)\b/.test(file));
  leftOut.push(`${files.join(', ')}: there is no Temporal server (${server.missing})`);
  return ['--testPathIgnorePatterns', ...files];
}
