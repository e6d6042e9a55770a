import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';

import { madeFiles } from '../scripts/docs.js';
import { mistakeInCall } from './cli-calls.js';

const root = join(import.meta.dirname, '..');
const pages = [
  ...readdirSync(root).filter((name) => name.endsWith('.md')),
  ...readdirSync(join(root, 'docs')).map((name) => join('docs', name)),
  join('examples', 'github', 'README.md'),
];
const textOf = (page: string): string => readFileSync(join(root, page), 'utf8');

/** The commands of a page's `sh` blocks, each as its words; pipes and `&&` divide, and a quoted text is one word. */
function commandsIn(text: string): string[][] {
  const blocks = [...text.matchAll(/^```sh\n(.*?)^```/gms)].map(([, block]) => block!);
  const lines = blocks.flatMap((block) => block.split('\n')).map((line) => line.replace(/\s#.*$/, ''));
  const commands = lines.flatMap((line) => (line.match(/(?:"[^"]*"|'[^']*'|[^|&])+/g) ?? []).map((one) => one.trim()));
  return commands.filter((one) => one !== '').map((one) => one.match(/(?:"[^"]*"|'[^']*'|\S)+/g)!);
}

/** Paths of the tree that a page names: links, and code that looks like one. */
function pathsIn(text: string): string[] {
  const links = [...text.matchAll(/\]\((?!\w+:|#)([^)#]+)[^)]*\)/g)].map(([, path]) => path!);
  const named = [...text.matchAll(/`([^`\s]+)`/g)].map(([, code]) => code!);
  const folders = readdirSync(root).filter((name) => statSync(join(root, name)).isDirectory());
  const isPath = (code: string): boolean =>
    /^[\w./-]+$/.test(code) && (folders.includes(code.split('/')[0]!) || /^[\w-]+\.(md|mjs|json)$/.test(code));
  return [...links, ...named.filter(isPath)];
}

/** What a reader's own project or a run has, and a checkout has not. */
const made = /^(dist|node_modules|\.catchment|\.services)\b|^catchment\.config\.ts$|^event\.json$/;

test.each(pages)('%s names files that there are', (page) => {
  const missing = pathsIn(textOf(page)).filter(
    (path) => !made.test(path) && ![root, join(root, dirname(page))].some((from) => existsSync(join(from, path))),
  );
  expect(missing).toEqual([]);
});

/** As GitHub makes the anchors of a page's headings. */
function anchorsOf(page: string): string[] {
  const headings = [...textOf(page).matchAll(/^#+ (.+)$/gm)].map(([, heading]) => heading!.toLowerCase());
  return headings.map((heading) => heading.replace(/[^\w\- ]/g, '').replaceAll(' ', '-'));
}

test.each(pages)('%s links to headings that there are', (page) => {
  const links = [...textOf(page).matchAll(/\]\((?!\w+:)([^)#]*)#([^)]+)\)/g)];
  const missing = links.filter(([, path, anchor]) => {
    return !anchorsOf(path === '' ? page : join(dirname(page), path!)).includes(anchor!);
  });
  expect(missing.map(([link]) => link)).toEqual([]);
});

const { scripts } = JSON.parse(textOf('package.json')) as { scripts: Record<string, string> };
const npmOwn = ['install', 'ci'];
/** Of which only the name is looked at. */
const others = ['cd', 'gzip', 'sed', 'temporal', 'eval', 'docker', 'gcloud'];

/** What is wrong with a command; undefined where nothing is. */
async function mistakeIn([program, ...words]: readonly string[], page: string): Promise<string | undefined> {
  if (program === 'npx' && words[0] === 'catchment') return mistakeInCall(words.slice(1));
  if (program === 'npm') {
    const script = words[0] === 'run' ? words[1]! : words[0]!;
    return npmOwn.includes(script) || script in scripts ? undefined : `there is no npm script ${script}`;
  }
  if (program === 'node' || program === 'bash') {
    const there = [root, join(root, dirname(page))].some((from) => existsSync(join(from, words[0]!)));
    return there ? undefined : `there is no ${words[0]!}`;
  }
  return others.includes(program!) ? undefined : `${program!} is a command that nobody knows`;
}

async function mistakesIn(text: string, page: string): Promise<string[]> {
  const mistakes = await Promise.all(commandsIn(text).map((command) => mistakeIn(command, page)));
  return mistakes.filter((mistake) => mistake !== undefined);
}

test.each(pages)(
  '%s has commands that there are',
  async (page) => {
    expect(await mistakesIn(textOf(page), page)).toEqual([]);
  },
  120_000,
);

test('a command, a flag, a script or a file that is not there is found', async () => {
  const wrong = ['npx catchment drain "a | b"', 'npx catchment status --wit && npm run tets', 'node no.mjs | nonsense'];
  expect(await mistakesIn(['```sh', ...wrong, '```'].join('\n'), 'README.md')).toEqual([
    'there is no catchment drain',
    'catchment status has no --wit',
    'there is no npm script tets',
    'there is no no.mjs',
    'nonsense is a command that nobody knows',
  ]);
  expect(pathsIn('`src/none.ts`, [here](docs/none.md#part), `not/of/here`, [away](https://example.com)')).toEqual([
    'docs/none.md',
    'src/none.ts',
  ]);
}, 120_000);

test('the README’s table has every command of the CLI, and no other', () => {
  const commands = readdirSync(join(root, 'src', 'cli', 'commands')).map((file) => file.replace('.ts', ''));
  const named = [...textOf('README.md').matchAll(/^\| `catchment ([\w-]+)/gm)].map(([, name]) => name!);
  expect(named.toSorted()).toEqual(commands.toSorted());
});

test('npm run docs would change nothing: what is said of each setting is what stands beside its schema', async () => {
  const made = await madeFiles();
  for (const [path, text] of made) expect({ path, text: textOf(path) }).toEqual({ path, text });
  expect(made.get(join('docs', 'configuration.md'))).toMatch(
    /^\| `freshness` .*\| 1s embedded, 60s otherwise \| 100ms \|/m,
  );
});

/** The tests that a page names: a file, and titles of its tests. */
function testsIn(text: string): { file: string; titles: string[] }[] {
  const lines = [...text.matchAll(/^ *- `(test\/[^`]+)`(.*)$/gm)];
  return lines.map(([, file, rest]) => {
    return { file: file!, titles: Array.from(rest!.matchAll(/“([^”]+)”/g), ([, title]) => title!) };
  });
}

/** Whether the file has a test, or a check of a contract suite, of that title. */
function hasTest(file: string, title: string): boolean {
  const source = textOf(file).replaceAll("\\'", "'");
  const quoted = [`'${title}'`, `"${title}"`, `\`${title}\``];
  return quoted.some((text) => new RegExp(`(?:\\(|\\n)\\s*${escaped(text)}`).test(source));
}

const escaped = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');

test('each promise names tests, and there are such', () => {
  const page = textOf(join('docs', 'guarantees.md'));
  const named = testsIn(page);
  expect(named.length).toBeGreaterThan(50);
  expect(named.filter(({ titles }) => titles.length === 0)).toEqual([]);
  const missing = named.flatMap(({ file, titles }) => {
    return titles.filter((title) => !hasTest(file, title)).map((title) => `${file}: ${title}`);
  });
  expect(missing).toEqual([]);
  const promises = page.split('\n## ').slice(1);
  expect(promises.filter((text) => testsIn(text).length === 0)).toEqual([]);
  expect(hasTest(join('test', 'docs.test.ts'), 'a promise that nobody shows')).toBe(false);
});

test('the lock file says what to install, not where from', () => {
  expect(textOf('package-lock.json')).not.toMatch(/"resolved": "https?:/);
});
