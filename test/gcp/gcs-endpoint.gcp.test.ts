import { Bucket } from '../../src/providers/gcp/gcs-bucket.js';
import { GcsLake } from '../../src/providers/gcp/gcs.js';
import { keysOf } from '../contract/objects.js';
import { gcsEndpoint } from '../standins/gcp.js';
import { newLake } from './gcs-lakes.js';

const variable = 'STORAGE_EMULATOR_HOST';

describe('where no endpoint is given, that of the environment is taken', () => {
  const before = process.env[variable];
  let bucket: string;
  beforeAll(async () => {
    const made = await newLake(await gcsEndpoint());
    bucket = made.bucket.name;
    await made.lake.put('raw/a', Buffer.from('a'));
  });
  afterEach(() => {
    if (before === undefined) Reflect.deleteProperty(process.env, variable);
    else process.env[variable] = before;
  });

  test.each([
    ['as it is', (endpoint: string) => endpoint],
    ['with a "/" behind it', (endpoint: string) => `${endpoint}/`],
    ['without a scheme', (endpoint: string) => endpoint.replace('http://', '')],
  ])('%s, without credentials', async (_, written) => {
    process.env[variable] = written(await gcsEndpoint());
    const opened = new Bucket({ bucket, prefix: '' });
    expect(opened.credentials).toBeUndefined();
    expect(await keysOf(new GcsLake(opened), '')).toEqual(['raw/a']);
  });

  test('but one that is given goes before it', async () => {
    process.env[variable] = 'http://127.0.0.1:1';
    const endpoint = `${await gcsEndpoint()}/`;
    expect(await keysOf(new GcsLake(new Bucket({ bucket, prefix: '', endpoint })), '')).toEqual(['raw/a']);
  });

  test("and Google's own, and a private one, get credentials", () => {
    Reflect.deleteProperty(process.env, variable);
    expect(new Bucket({ bucket, prefix: '' }).credentials).toBeDefined();
    const endpoint = 'https://storage-mine.p.googleapis.com';
    expect(new Bucket({ bucket, prefix: '', endpoint }).credentials).toBeDefined();
  });
});
