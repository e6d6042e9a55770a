import { defineConfig } from '../../src/config/define.js';
import { pubsub, type PubsubOptions } from '../../src/index.js';

const problemsOf = (options: unknown): string[] =>
  (pubsub(options as PubsubOptions).problems ?? []).map(({ path, message }) => `${path}: ${message}`);

const app = { topic: 'app', subscription: 'app-catchment' };

test.each([
  [{}, /^topic: is no name of a topic; write 'app-events'/],
  [{ topic: 'app' }, /subscription: is no name of a subscription/],
  [{ ...app, topic: 'a' }, /^topic: is no name/],
  [{ ...app, topic: 'google-app' }, /^topic: is no name/],
  [{ ...app, topic: 'projects/my-project/subscriptions/app' }, /^topic: is no name/],
  [{ ...app, projectId: 'My Project' }, /^projectId: is no id/],
  [{ ...app, endpoint: 'https://user:SECRET@pubsub.googleapis.com' }, /^endpoint: is no address/],
  [{ ...app, endpoint: '127.0.0.1:8085' }, /^endpoint: is no address/],
  [{ ...app, deadLetters: { topic: 'dead' } }, /^deadLetters.subscription: is no name/],
  [{ ...app, keyFilename: 'SECRET.json' }, /keyFilename/],
])('%j is a mistake', (options, problem) => {
  const found = problemsOf(options);
  expect(found.join('\n')).toMatch(problem);
  expect(found.join('\n')).not.toContain('SECRET');
});

test.each([
  app,
  { ...app, topic: 'projects/example.com:my-project/topics/app', projectId: 'other' },
  { ...app, deadLetters: { topic: 'dead', subscription: 'dead' }, ordered: true, exactlyOnce: true },
  { ...app, endpoint: 'http://127.0.0.1:8085', monitoringEndpoint: 'http://127.0.0.1:8087' },
])('%j is none', (options) => {
  expect(problemsOf(options)).toEqual([]);
});

const problemsOfParts = (source: PubsubOptions, secondary: PubsubOptions): string[] => {
  const config = { pipeline: 'app', tables: [], sources: { app: pubsub(source) }, secondary: pubsub(secondary) };
  return defineConfig(config).problems.map(({ path, message }) => `${path}: ${message}`);
};

test('no two parts of a pipeline may name one topic or subscription: references would come in as events, for ever', () => {
  const references = { topic: 'references', subscription: 'references' };
  expect(problemsOfParts(app, references)).toEqual([]);
  const dead = { ...app, deadLetters: { topic: 'dead', subscription: 'dead' } };
  for (const [path, source, secondary] of [
    ['secondary.topic', app, { ...references, topic: 'app' }],
    ['secondary.subscription', app, { ...references, subscription: 'app-catchment' }],
    ['secondary.topic', dead, { ...references, topic: 'dead' }],
    ['secondary.deadLetters.topic', dead, { ...references, deadLetters: { topic: 'dead', subscription: 'others' } }],
    [
      'secondary.topic',
      { ...app, topic: 'projects/my-project/topics/app' },
      { ...references, topic: 'app', projectId: 'my-project' },
    ],
  ] as const)
    expect(problemsOfParts(source, secondary)).toEqual([expect.stringContaining(`${path}: names what sources.app.`)]);
  const elsewhere = { ...references, topic: 'projects/other/topics/app' };
  expect(problemsOfParts({ ...app, projectId: 'my-project' }, elsewhere)).toEqual([]);
});
