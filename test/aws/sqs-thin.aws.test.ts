import { createHash, createHmac, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';

import { sqs } from '../../src/providers/aws/sqs.js';
import type { Queue } from '../../src/providers/queue.js';
import { needs } from '../contract/queue-harness.js';
import { sqsEndpoint } from '../standins/aws.js';
import { FaultProxy } from '../standins/fault-proxy.js';
import { answer, cutAfter, loseReply, refuse } from '../standins/faults/generic.js';
import { sqsError } from '../standins/faults/aws-errors.js';

const { signal } = new AbortController();
const want = { messages: 10, waitMs: 2_000, leaseMs: 30_000, signal };
const message = { body: Buffer.from('{"a":1}'), attributes: { kind: 'test' } };

const open = (endpoint: string, name: string): Queue =>
  sqs({ queueUrl: `${endpoint}/000000000000/${name}` }).open({
    pipeline: 'test',
    dataDir: 'unused',
    part: 'secondary',
  });

describe('a call that carries messages', () => {
  let proxy: FaultProxy;
  let queue: Queue;
  beforeEach(async () => {
    proxy = await FaultProxy.start({ target: await sqsEndpoint() });
    queue = open(proxy.endpoint, randomUUID());
    await queue.provision!('apply', needs);
  });
  afterEach(async () => {
    await queue.close();
    await proxy.close();
  });

  const faults = [
    sqsError(500, 'InternalFailure'),
    answer(503, 'busy'),
    answer(200, 'no JSON'),
    loseReply(),
    refuse(),
    cutAfter(5),
  ];
  test.each(faults.map((fault) => [fault.name, fault] as const))(
    'goes on through the SDK after %s',
    async (_, fault) => {
      for (const operation of [
        'SendMessageBatch',
        'ReceiveMessage',
        'ChangeMessageVisibilityBatch',
        'DeleteMessageBatch',
      ])
        proxy.rule({ when: { operation }, times: 1, fault });
      expect(await queue.send([message])).toEqual([{ status: 'done' }]);
      const [delivery] = await queue.receive({ ...want, leaseMs: 1_000, waitMs: 5_000 });
      expect(delivery).toMatchObject({ attributes: { kind: 'test' } });
      expect(await queue.extend([delivery!.receipt], 30_000)).toEqual([{ status: 'done' }]);
      const [outcome] = await queue.acknowledge([delivery!.receipt]);
      // Deleted by the try of which nobody heard.
      expect(['done', 'expired']).toContain(outcome!.status);
      expect(proxy.seen.faults()).toBe(4);
    },
  );

  test('is Unavailable where the SDK has no answer either, and was asked four times', async () => {
    proxy.rule({ when: { operation: 'ReceiveMessage' }, fault: sqsError(503, 'ServiceUnavailable') });
    await expect(queue.receive(want)).rejects.toMatchObject({ name: 'Unavailable' });
    expect(proxy.seen.calls('ReceiveMessage')).toBe(4);
  });
});

describe('what is sent plainly', () => {
  test('is signed as AWS asks: Signature Version 4, over the body and every header that counts', async () => {
    const seen: { headers: IncomingHttpHeaders; body: string }[] = [];
    const server = createServer((request, response) => {
      void text(request).then((body) => {
        seen.push({ headers: request.headers, body });
        response.setHeader('content-type', 'application/x-amz-json-1.0').end('{"Successful":[{"Id":"0"}]}');
      });
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const queue = open(`http://127.0.0.1:${(server.address() as AddressInfo).port}`, 'signed');
    try {
      expect(await queue.send([message])).toEqual([{ status: 'done' }]);
    } finally {
      await queue.close();
      server.close();
    }
    expect(seen).toHaveLength(1);
    const [{ headers, body }] = seen as [(typeof seen)[number]];
    expect(JSON.parse(body)).toMatchObject({ Entries: [{ Id: '0', MessageBody: '{"a":1}' }] });
    const [, day, signedHeaders, signature] =
      /^AWS4-HMAC-SHA256 Credential=stand-in\/(\d{8})\/us-east-1\/sqs\/aws4_request, SignedHeaders=([\w;-]+), Signature=(\w{64})$/.exec(
        headers.authorization!,
      )!;
    for (const name of ['host', 'content-type', 'x-amz-date', 'x-amz-target'])
      expect(signedHeaders!.split(';')).toContain(name);
    const canonical = [
      ...['POST', '/', ''],
      ...signedHeaders!.split(';').map((name) => `${name}:${String(headers[name])}`),
      ...['', signedHeaders, sha256(body)],
    ].join('\n');
    const scope = `${day}/us-east-1/sqs/aws4_request`;
    const toSign = ['AWS4-HMAC-SHA256', headers['x-amz-date'], scope, sha256(canonical)].join('\n');
    const key = [day!, 'us-east-1', 'sqs', 'aws4_request'].reduce<string | Buffer>(hmac, 'AWS4stand-in');
    expect(signature).toBe(hmac(key, toSign).toString('hex'));
  });
});

const sha256 = (data: string): string => createHash('sha256').update(data).digest('hex');
const hmac = (key: string | Buffer, data: string): Buffer => createHmac('sha256', key).update(data).digest();
