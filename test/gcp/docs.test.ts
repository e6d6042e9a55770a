import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import { parse } from 'yaml';

const root = join(import.meta.dirname, '..', '..');
const page = readFileSync(join(root, 'docs', 'gcp.md'), 'utf8');

interface Role {
  readonly title: string;
  readonly stage: string;
  readonly includedPermissions: readonly string[];
}

const roles = [...page.matchAll(/```yaml\n(.*?)```/gs)].map(([, text]) => parse(text!) as Role);
const allowed = new Set(roles.flatMap(({ includedPermissions }) => includedPermissions));

/** Every permission that an error of ours, or a finding of `check`, may ask for. */
function asked(): Set<string> {
  const folder = join(root, 'src', 'providers', 'gcp');
  const text = readdirSync(folder)
    .map((file) => readFileSync(join(folder, file), 'utf8'))
    .join('\n');
  const permission =
    /\b(?:pubsub\.(?:topics|subscriptions)|storage\.(?:buckets|objects)|monitoring\.timeSeries)\.[a-z]\w*/g;
  return new Set(text.match(permission));
}

test('the roles of docs/gcp.md allow what the code asks for, and nothing else', () => {
  expect(roles).toHaveLength(6);
  expect([...allowed].sort()).toEqual([...asked()].sort());
});

test('each role can be made from its text, and somebody has it', () => {
  for (const { title, stage, includedPermissions } of roles) {
    expect(stage).toBe('GA');
    expect(includedPermissions.join()).not.toContain('*');
    const [, name] = /^Catchment (\w+)$/.exec(title)!;
    expect(page).toMatch(new RegExp(`^\\| .*\\| [^|]*\\b${name!}\\b`, 'm'));
  }
});

test('what removes is a role of its own, which is bound with a condition', () => {
  const removing = roles.filter(({ includedPermissions }) => includedPermissions.includes('storage.objects.delete'));
  expect(removing).toEqual([expect.objectContaining({ includedPermissions: ['storage.objects.delete'] })]);
  const bindings = page.split('\n').filter((line) => line.startsWith('gcloud') && line.includes('catchmentRemover'));
  expect(bindings.length).toBeGreaterThan(0);
  for (const binding of bindings) expect(binding).toContain('--condition=');
});
