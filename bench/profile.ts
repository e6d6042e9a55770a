/**
 * Where the time of a profiled run went: self time by function, a table for each thread of each process.
 *
 *     npm run bench -- --profile FOLDER && node bench/.catchment/build/bench/profile.js FOLDER
 *
 * Native threads (DuckDB's, zlib's in Node's pool, Temporal's core) are in no profile: the rest of a process's CPU is theirs.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import { renderTable } from '../src/cli/table.js';

interface Node {
  readonly id: number;
  readonly callFrame: { readonly functionName: string; readonly url: string; readonly lineNumber: number };
}

interface Profile {
  readonly nodes: readonly Node[];
  readonly samples: readonly number[];
  readonly timeDeltas: readonly number[];
}

const [folder = '.'] = process.argv.slice(2);
const least = 0.01;

for (const file of readdirSync(folder).filter((name) => name.endsWith('.cpuprofile'))) {
  const self = selfTimes(JSON.parse(readFileSync(join(folder, file), 'utf8')) as Profile);
  const busy = [...self].reduce((sum, [, ms]) => sum + ms, 0);
  console.log(`\n${file}: busy for ${Math.round(busy)} ms`);
  const rows = [...self]
    .filter(([, ms]) => ms > busy * least)
    .sort(([, a], [, b]) => b - a)
    .map(([where, ms]) => ({ ms: Math.round(ms), share: `${((100 * ms) / busy).toFixed(1)} %`, where }));
  console.log(await renderTable(rows));
}

function selfTimes({ nodes, samples, timeDeltas }: Profile): Map<string, number> {
  const names = new Map(nodes.map(({ id, callFrame }) => [id, nameOf(callFrame)]));
  const self = new Map<string, number>();
  samples.forEach((id, index) => {
    const name = names.get(id) ?? '?';
    if (name.startsWith('(idle)') || name.startsWith('(program)')) return;
    self.set(name, (self.get(name) ?? 0) + timeDeltas[index]! / 1_000);
  });
  return self;
}

function nameOf({ functionName, url, lineNumber }: Node['callFrame']): string {
  const file = url.replace(/^file:\/\//, '').replace(/^.*\/(?=(?:node_modules|dist|build)\/)/, '');
  return `${functionName || '(anonymous)'} ${file}${file === '' ? '' : `:${lineNumber + 1}`}`;
}
