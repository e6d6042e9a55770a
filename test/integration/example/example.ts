import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

import type { Finding } from '../../../src/providers/queue.js';
import type { CloudPlace } from '../../cloud/place.js';
import { readLake, type StoredEvent } from '../../faults/judge-lake.js';
import { Pipeline } from '../../faults/pipeline.js';

const example = resolve('examples/github');
const events = execFileSync(process.execPath, [join(example, 'events.mjs')], { encoding: 'utf8', maxBuffer: 2 ** 26 });
const [, webhook] = events.split('\n');

/** The example's pipeline on a cloud, by the commands that a user has. */
export class CloudExample {
  readonly pipeline: Pipeline;
  readonly #place: CloudPlace;

  constructor(place: CloudPlace) {
    this.#place = place;
    this.pipeline = new Pipeline(join(import.meta.dirname, 'cloud.config.ts'), place.surroundings());
  }

  /** What the command answers, which must hold. */
  async answerOf(...args: string[]): Promise<Record<string, unknown>> {
    const { status, answer } = await this.pipeline.run(args);
    expect({ args, status, answer }).toMatchObject({ status: 0 });
    return answer;
  }

  async findings(level: Finding['level']): Promise<string[]> {
    const { findings } = (await this.answerOf('check')) as { findings: readonly (Finding & { part: string })[] };
    return findings.filter((found) => found.level === level).map(({ part, what }) => `${part}: ${what}`);
  }

  /**
   * Made, checked, sent, queried and proved, with the answer of the embedded parts. `unknown`: begins what is planned, and
   * cannot be done, since the stand-in knows nothing of it.
   */
  async expectWhole(unknown: readonly string[]): Promise<void> {
    expect(await this.pipeline.run(['check'])).toMatchObject({ status: 1, answer: { ok: false } });
    const { changes: planned } = (await this.answerOf('provision', '--dry-run')) as { changes: { what: string }[] };
    const changes = planned.filter(({ what }) => !unknown.some((beginning) => what.startsWith(beginning)));
    expect(changes).toHaveLength(planned.length - unknown.length);
    expect(await this.answerOf('provision')).toEqual({ applied: true, changes });
    expect(await this.answerOf('provision')).toEqual({ applied: true, changes: [] });
    expect(await exampleThrough(this.pipeline)).toEqual(await embeddedAnswer());
    expect(await this.findings('error')).toEqual([]);
    expect((await this.findings('warning')).filter((found) => found.includes('dead'))).toEqual([]);
    for (const flags of [[], ['--deep']])
      expect(await this.answerOf('reconcile', ...flags)).toMatchObject({
        ok: true,
        objects: { events: 329 },
        tables: { activity: { rows: 329, objectsMissing: 0 }, job_steps: { rows: 31 } },
        deadLetters: 0,
      });
  }

  /** By id, each as often as the lake has it. */
  async stored(ids: readonly string[]): Promise<Map<string, StoredEvent[]>> {
    const folder = join(this.pipeline.folder.dir, `lake-${Date.now()}`);
    await this.#place.fetchLake(folder);
    const all = readLake(folder).flatMap((object) => object.events);
    return new Map(ids.map((id) => [id, all.filter((event) => event.id === id)]));
  }

  /** Ids of the table's rows that are about it. */
  async idsOf(about: string): Promise<string[]> {
    const query = `SELECT _event_id AS id FROM activity WHERE event = '${about}' ORDER BY id`;
    const { rows } = await this.answerOf('query', query);
    return (rows as { id: string }[]).map(({ id }) => id);
  }
}

/** Ten webhooks that the example's table takes. */
export function plainBodies(about: string): string[] {
  return Array.from({ length: 10 }, (_, n) => JSON.stringify({ ...(JSON.parse(webhook!) as object), event: about, n }));
}

/** Through a whole pipeline, to the answer of the example's query. */
async function exampleThrough(through: Pipeline): Promise<unknown> {
  await through.start();
  const sent = await through.run(['send', '-', '--id', '/delivery'], events);
  expect(sent).toMatchObject({ status: 0, answer: { sent: 329, refused: 0, unsent: 0 } });
  await through.settle();
  return (await through.run(['query', readFileSync(join(example, 'query.sql'), 'utf8')])).answer['rows'];
}

let answer: Promise<unknown> | undefined;

/** The same for every cloud. */
function embeddedAnswer(): Promise<unknown> {
  return (answer ??= askEmbedded());
}

async function askEmbedded(): Promise<unknown> {
  const embedded = new Pipeline(join(example, 'catchment.config.ts'));
  try {
    return await exampleThrough(embedded);
  } finally {
    await embedded.close();
  }
}
