import { defineConfig } from '../../src/config/define.js';
import { sqs, type SqsOptions } from '../../src/index.js';

const url = (name: string, host = 'sqs.eu-west-1.amazonaws.com', account = '123456789012'): string =>
  `https://${host}/${account}/${name}`;

const problemsOf = (options: unknown): string[] =>
  (sqs(options as SqsOptions).problems ?? []).map(({ path, message }) => `${path}: ${message}`);

const problemsOfParts = (parts: { sources: Record<string, SqsOptions>; secondary: SqsOptions }): string[] => {
  const sources = Object.fromEntries(Object.entries(parts.sources).map(([name, options]) => [name, sqs(options)]));
  const config = { pipeline: 'app', tables: [], sources, secondary: sqs(parts.secondary) };
  return defineConfig(config).problems.map(({ path, message }) => `${path}: ${message}`);
};

test.each([
  [{}, /^queueUrl: is no URL of a queue/],
  [{ queueUrl: 'https://user:SECRET@sqs.eu-west-1.amazonaws.com/123456789012/a' }, /^queueUrl: is no URL of a queue/],
  [{ queueUrl: `${url('a')}?token=SECRET` }, /^queueUrl: is no URL of a queue/],
  [{ queueUrl: url('a'), deadLetterUrl: 'a-dead' }, /^deadLetterUrl: is no URL of a queue/],
  [{ queueUrl: url('a.fifo'), deadLetterUrl: url('a-dead') }, /^deadLetterUrl: must be a FIFO queue where/],
  [{ queueUrl: url('a'), deadLetterUrl: url('a-dead.fifo') }, /^deadLetterUrl: must be a FIFO queue where/],
])('%j is a mistake', (options, problem) => {
  const [found, ...others] = problemsOf(options);
  expect(found).toMatch(problem);
  expect(found).not.toContain('SECRET');
  expect(others).toEqual([]);
});

test('what lies in one queue is of one kind: no other part of the pipeline may name it', () => {
  const app = { queueUrl: url('app'), deadLetterUrl: url('app-dead') };
  expect(problemsOfParts({ sources: { app }, secondary: { queueUrl: url('references') } })).toEqual([]);
  // Its events would be taken for references that cannot be read, and acknowledged.
  const privateLink = 'vpce-0a1b.sqs.eu-west-1.vpce.amazonaws.com';
  for (const [option, secondary] of [
    ['queueUrl', { queueUrl: url('app') }],
    ['queueUrl', { queueUrl: url('app', privateLink) }],
    ['queueUrl', { queueUrl: url('app-dead') }],
    ['deadLetterUrl', { queueUrl: url('references'), deadLetterUrl: url('app-dead') }],
  ] as const)
    expect(problemsOfParts({ sources: { app }, secondary })).toEqual([
      expect.stringMatching(`^secondary.${option}: names what sources.app.(queueUrl|deadLetterUrl) names: `),
    ]);
  // They would be events of either source, and so others.
  const web = { queueUrl: url('web'), deadLetterUrl: url('app-dead') };
  expect(problemsOfParts({ sources: { app, web }, secondary: { queueUrl: url('references') } })).toEqual([
    expect.stringMatching(/^sources.web.deadLetterUrl: names what sources.app.deadLetterUrl names: /),
  ]);
  expect(
    problemsOfParts({ sources: { app: { ...app, deadLetterUrl: url('app') } }, secondary: { queueUrl: url('r') } }),
  ).toEqual([expect.stringMatching(/^sources.app.deadLetterUrl: names what sources.app.queueUrl names: /)]);
});

test('queues of one name in two accounts, regions or services are different ones', () => {
  const sources = {
    a: { queueUrl: url('app') },
    b: { queueUrl: url('app', undefined, '999999999999') },
    c: { queueUrl: url('app', 'sqs.us-east-1.amazonaws.com') },
  };
  expect(problemsOfParts({ sources, secondary: { queueUrl: 'http://127.0.0.1:9324/123456789012/app' } })).toEqual([]);
});
