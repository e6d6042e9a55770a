// `npm run build`: src/ into dist/, with the workflows' bundle.
//     node scripts/build.mjs [--if-changed]
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..');
const stamp = join(root, 'dist', '.built');

if (!process.argv.includes('--if-changed') || isStale()) {
  process.stderr.write('Building …\n');
  // Without the stamp first: what a failing or killed build leaves behind must not look whole.
  rmSync(stamp, { force: true });
  const started = new Date();
  run(join('node_modules', 'typescript', 'bin', 'tsc'), '-p', 'tsconfig.build.json');
  run(join('dist', 'workflows', 'bundle.js'));
  writeFileSync(stamp, '');
  // A source that changed meanwhile is newer than it.
  utimesSync(stamp, started, started);
}

function isStale() {
  if (!existsSync(stamp)) return true;
  const sources = readdirSync(join(root, 'src'), { recursive: true }).map((name) => join('src', name));
  const inputs = [...sources, 'package.json', 'tsconfig.json', 'tsconfig.build.json'];
  const builtAt = statSync(stamp).mtimeMs;
  return inputs.some((name) => statSync(join(root, name)).mtimeMs > builtAt);
}

function run(...args) {
  const { status } = spawnSync(process.execPath, args, { cwd: root, stdio: ['ignore', 2, 2] });
  if (status !== 0) process.exit(1);
}
