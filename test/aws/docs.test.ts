import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..', '..');
const page = readFileSync(join(root, 'docs', 'aws.md'), 'utf8');

interface Policy {
  readonly Statement: readonly {
    readonly Effect: string;
    readonly Action: readonly string[];
    readonly Resource: unknown;
  }[];
}

const policies = [...page.matchAll(/```json\n(.*?)```/gs)].map(([, text]) => JSON.parse(text!) as Policy);
const allowed = new Set(policies.flatMap(({ Statement }) => Statement.flatMap(({ Action }) => Action)));

/** Every permission that an error of ours may ask for. */
function asked(): Set<string> {
  const folder = join(root, 'src', 'providers', 'aws');
  const text = readdirSync(folder)
    .map((file) => readFileSync(join(folder, file), 'utf8'))
    .join('\n');
  return new Set([...text.matchAll(/'((?:s3|sqs):[A-Z]\w+)'/g)].map(([, permission]) => permission!));
}

test('the policies of docs/aws.md allow what the code asks for, and nothing else', () => {
  expect(policies).toHaveLength(4);
  expect([...allowed].sort()).toEqual([...asked()].sort());
});

test('no policy has a wildcard for actions, or for all resources', () => {
  for (const { Action, Resource, Effect } of policies.flatMap(({ Statement }) => Statement)) {
    expect(Effect).toBe('Allow');
    expect(Action.join()).not.toContain('*');
    expect(JSON.stringify(Resource)).not.toMatch(/"\*"|:::\*/);
  }
});
