import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { installed, root, run } from './install.mjs';

const pom = join(root, 'test', 'standins', 'elasticmq', 'pom.xml');
const oldestJava = 17;

/** ElasticMQ, which stands in for SQS: the folder of its jars. */
export async function elasticmq() {
  await checkJava();
  return await installed('elasticmq', createHash('sha256').update(readFileSync(pom)).digest('hex'), async (folder) => {
    console.error('Installing ElasticMQ (37 MB, once) …');
    const goal = ['dependency:copy-dependencies', `-DoutputDirectory=${folder}`];
    await run('mvn', ['--batch-mode', '--quiet', '--file', pom, ...goal], { needed: 'Maven' });
  });
}

async function checkJava() {
  const said = await run('java', ['-version'], { needed: `Java ${oldestJava} or newer` });
  const [, version] = /version "(?:1\.)?(\d+)/.exec(said) ?? [];
  if (!(Number(version) >= oldestJava)) throw new Error(`java is ${version}; it needs ${oldestJava} or newer`);
}
