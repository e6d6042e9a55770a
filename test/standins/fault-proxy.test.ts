import { randomBytes } from 'node:crypto';
import { Agent } from 'node:http';

import { until } from '../until.js';
import { FaultProxy } from './fault-proxy.js';
import type { Fault, Outcome } from './faults/fault.js';
import {
  answer,
  corrupt,
  cutAfter,
  delay,
  halfOpen,
  halfOpenAfter,
  loseReply,
  refuse,
  withoutHeaders,
} from './faults/generic.js';
import { plainTarget, send, type PlainTarget } from './faults/plain-target.js';

let target: PlainTarget;
let proxy: FaultProxy;
let agent: Agent;
beforeEach(async () => {
  target = await plainTarget();
  proxy = await FaultProxy.start({ target: target.endpoint });
  agent = new Agent({ keepAlive: true });
});
afterEach(async () => {
  agent.destroy();
  try {
    await proxy.close();
  } finally {
    await target.stop();
  }
});

const to = (path: string, options: Parameters<typeof send>[1] = {}): ReturnType<typeof send> =>
  send(`${proxy.endpoint}${path}`, { agent, ...options });

describe('without a rule', () => {
  test('a request and its reply pass as they are, on one connection each', async () => {
    const headers = { host: 'signed.example', 'x-amz-target': 'AmazonSQS.SendMessage', 'x-odd': ['a', 'b'] };
    const replies = [];
    for (const body of ['one', 'two']) replies.push(await to('/echo?a=1', { method: 'POST', headers, body }));
    expect(replies.map(({ status, body }) => [status, String(body)])).toEqual([
      [201, 'one'],
      [201, 'two'],
    ]);
    expect(replies[0]!.headers['set-cookie']).toEqual(['a=1', 'b=2']);
    expect(target.requests[1]).toMatchObject({ method: 'POST', url: '/echo?a=1' });
    expect(target.requests[1]!.headers).toMatchObject({ host: 'signed.example', 'x-odd': 'a, b' });
    expect(target.connections).toBe(1);
    expect([proxy.seen.calls(), proxy.seen.calls('SendMessage'), proxy.seen.faults()]).toEqual([2, 2, 0]);
  });

  test('its operations are seen in their order, and the connections that are open', async () => {
    for (const path of ['/a?x-id=PutObject', '/b', '/c?x-id=PutObject']) await to(path);
    expect(proxy.seen.operations).toEqual(['PutObject', 'GET', 'PutObject']);
    expect(proxy.connections).toBe(1);
    agent.destroy();
    await until('no connection that is open', () => proxy.connections === 0);
  });

  test('64 MB go both ways, in chunks of unknown number and with their length said', async () => {
    const body = randomBytes(64 << 20);
    const said: Record<string, string> = { 'content-length': String(body.length), expect: '100-continue' };
    for (const headers of [{}, said]) {
      const reply = await to('/echo', { method: 'PUT', headers, body });
      expect(reply.body.equals(body)).toBe(true);
    }
  });

  test('a client that goes away ends its request to the target', async () => {
    const gone = new AbortController();
    const reply = to('/never', { signal: gone.signal });
    await until('the request', () => target.requests.length === 1);
    gone.abort();
    await expect(reply).rejects.toThrow('abort');
    await until('its end at the target', () => target.aborted === 1);
  });

  test('a client that goes away in the middle of its reply is no fault that has failed', async () => {
    const gone = new AbortController();
    const leaving = { signal: gone.signal, onHead: () => gone.abort() };
    const reply = to('/echo', { method: 'POST', body: Buffer.alloc(32 << 20), ...leaving });
    await expect(reply).rejects.toThrow('abort');
    await until('its end', () => proxy.connections === 0);
  });

  test('a target that is killed looks dead, and is reached again when it is back', async () => {
    expect((await to('/echo')).status).toBe(201);
    const waiting = to('/never').catch(codeOf);
    await until('the request', () => target.requests.length === 2);
    await target.kill();
    expect(await waiting).toBe('ECONNRESET');
    await expect(to('/echo')).rejects.toMatchObject({ code: 'ECONNRESET' });
    await target.again();
    expect((await to('/echo')).status).toBe(201);
    expect(proxy.seen.faults()).toBe(0);
  });

  test('a target that answers before it has read the request', async () => {
    expect((await to('/early', { method: 'PUT', body: Buffer.alloc(16 << 20) })).status).toBe(413);
    expect((await to('/echo')).status).toBe(201);
  });

  test('a target that dies in the middle of an upload', async () => {
    const upload = to('/never', { method: 'PUT', body: Buffer.alloc(16 << 20) }).catch(codeOf);
    await until('the first of it', () => target.requests.length === 1);
    await target.kill();
    // As without the proxy, what the client meets first depends on what it does at that moment.
    expect(['ECONNRESET', 'EPIPE']).toContain(await upload);
  });

  test('the head of a reply does not wait for its body', async () => {
    let status: number | undefined;
    const reply = to('/head', { onHead: (code) => (status = code) }).catch(codeOf);
    await until('the head', () => status);
    await target.kill();
    expect([status, await reply]).toEqual([200, 'ECONNRESET']);
  });

  test('a target that dies in the middle of its reply', async () => {
    const reply = to('/half').catch(codeOf);
    await until('the first half', () => target.requests.length === 1);
    await target.kill();
    expect(await reply).toBe('ECONNRESET');
  });

  test('a target that closes an idle connection closes it for the client too', async () => {
    await to('/echo');
    target.closeIdle();
    await until('no connection that is kept', () => Object.keys(agent.freeSockets).length === 0);
    expect((await to('/echo')).status).toBe(201);
  });
});

describe('faults', () => {
  test('answer: the target never sees the request', async () => {
    proxy.rule({ times: 1, fault: answer(503, 'slow', { 'retry-after': '1' }) });
    const reply = await to('/echo', { method: 'PUT', headers: { expect: '100-continue' }, body: 'x' });
    expect([reply.status, reply.headers['retry-after'], String(reply.body)]).toEqual([503, '1', 'slow']);
    expect(target.requests).toHaveLength(0);
    expect((await to('/echo')).status).toBe(201);
    expect(proxy.seen.faults('503')).toBe(1);
  });

  test('loseReply: the target has done it, the client sees its connection reset', async () => {
    proxy.rule({ fault: loseReply() });
    await expect(to('/echo', { method: 'POST', body: 'kept' })).rejects.toMatchObject({ code: 'ECONNRESET' });
    expect(target.requests.map(({ body }) => body)).toEqual(['kept']);
    expect(proxy.seen.faults('loseReply')).toBe(1);
  });

  test('loseReply, silently: the target has done it, the client hears nothing', async () => {
    const rule = proxy.rule({ times: 1, fault: loseReply('hang') });
    const reply = silent(to('/echo', { method: 'POST', body: 'kept' }));
    await until('the reply to be lost', () => rule.happened === 1);
    expect(target.requests.map(({ body }) => body)).toEqual(['kept']);
    await reply.isOpenUntil(() => proxy.close());
  });

  test('delay: the target gets it later, and never when the client has gone', async () => {
    proxy.rule({ times: 1, fault: delay(50) });
    const began = performance.now();
    expect((await to('/echo')).status).toBe(201);
    expect(performance.now() - began).toBeGreaterThanOrEqual(49);
    proxy.rule({ fault: delay(3_600_000) });
    const gone = new AbortController();
    const reply = to('/echo', { signal: gone.signal });
    await until('the request', () => proxy.seen.calls() === 2);
    gone.abort();
    await expect(reply).rejects.toThrow('abort');
    expect([target.requests.length, proxy.seen.faults('delay')]).toEqual([1, 1]);
  });

  test('halfOpen: the request is taken, nothing comes back, also when the target goes away', async () => {
    const rule = proxy.rule({ when: { path: '/echo' }, fault: halfOpen() });
    await to('/other');
    const reply = silent(to('/echo', { method: 'POST', body: Buffer.alloc(1 << 20) }));
    await until('the request to be taken', () => rule.happened === 1);
    await target.kill();
    expect(target.requests.map(({ url }) => url)).toEqual(['/other']);
    await reply.isOpenUntil(() => proxy.close());
  });

  test('halfOpenAfter: so much of the reply, then silence', async () => {
    const rule = proxy.rule({ times: 1, fault: halfOpenAfter(3) });
    const got: Buffer[] = [];
    const reply = silent(to('/echo', { method: 'POST', body: 'abcdef', onData: (chunk) => got.push(chunk) }));
    await until('the silence', () => rule.happened === 1 && Buffer.concat(got).length === 3);
    await reply.isOpenUntil(() => proxy.close());
    expect(String(Buffer.concat(got))).toBe('abc');
  });

  test.each([0, 3, 1 << 20])('cutAfter: %d bytes of the reply, then the end', async (bytes) => {
    proxy.rule({ fault: cutAfter(bytes) });
    const body = randomBytes(2 << 20);
    const got: Buffer[] = [];
    let status: number | undefined;
    const noting = { onHead: (code: number) => (status = code), onData: (chunk: Buffer) => got.push(chunk) };
    const reply = to('/echo', { method: 'POST', body, ...noting });
    await expect(reply).rejects.toMatchObject({ code: 'ECONNRESET' });
    expect(status).toBe(201);
    expect(Buffer.concat(got).equals(body.subarray(0, bytes))).toBe(true);
    expect(proxy.seen.faults('cutAfter')).toBe(1);
  });

  test('a reply that ends before it would be cut has met no fault', async () => {
    proxy.rule({ fault: cutAfter(6) });
    expect(String((await to('/echo', { method: 'POST', body: 'abcdef' })).body)).toBe('abcdef');
    expect(proxy.seen.faults()).toBe(0);
  });

  test('corrupt: the reply is whole, but for a byte', async () => {
    proxy.rule({ fault: corrupt() });
    const body = randomBytes(2 << 20);
    const reply = await to('/echo', { method: 'POST', body });
    expect([reply.status, reply.body[0]]).toEqual([201, 255 - body[0]!]);
    expect(reply.body.subarray(1).equals(body.subarray(1))).toBe(true);
    expect(proxy.seen.faults('corrupt')).toBe(1);
    expect((await to('/echo')).body).toHaveLength(0);
    expect(proxy.seen.faults('corrupt')).toBe(1);
  });

  test('withoutHeaders: the target gets the others, whatever other faults do to the request', async () => {
    const headers = { 'If-None-Match': '*', 'X-Some-A': 'a', 'x-some-b': ['b', 'c'], 'x-other': 'd' };
    const lost = [/^if-none-match$/, /-some-/].map((names) => proxy.rule({ fault: withoutHeaders(names) }));
    proxy.rule({
      when: { path: '/changed' },
      fault: { name: 'changed', run: (_, { next }) => next(Buffer.from('new')) },
    });
    for (const path of ['/echo', '/changed']) await to(path, { method: 'PUT', headers, body: 'old' });
    expect(target.requests.map(({ body }) => body)).toEqual(['old', 'new']);
    for (const got of target.requests) {
      expect(Object.keys(got.headers).filter((name) => /none-match|some/.test(name))).toEqual([]);
      expect(got.headers).toMatchObject({ 'x-other': 'd', host: new URL(proxy.endpoint).host });
    }
    await to('/echo');
    expect(lost.map(({ happened }) => happened)).toEqual([2, 2]);
  });

  test('refuse: the connection ends at the request', async () => {
    proxy.rule({ times: 1, fault: refuse() });
    await expect(to('/echo')).rejects.toMatchObject({ code: 'ECONNRESET' });
    expect((await to('/echo')).status).toBe(201);
    expect(target.requests).toHaveLength(1);
  });

  test('goAway: connections old and new are destroyed, until clear', async () => {
    await to('/echo');
    const waiting = to('/never').catch(codeOf);
    await until('the request', () => target.requests.length === 2);
    proxy.goAway();
    expect(await waiting).toBe('ECONNRESET');
    await expect(to('/echo')).rejects.toMatchObject({ code: 'ECONNRESET' });
    expect(proxy.seen.faults('away')).toBeGreaterThanOrEqual(2);
    proxy.clear();
    expect((await to('/echo')).status).toBe(201);
  });

  test('what a fault lets through when the client has gone does not reach the target', async () => {
    const gone = new AbortController();
    let passed: Outcome | undefined;
    const late: Fault = {
      name: 'late',
      async run(call, { next }) {
        gone.abort();
        await until('the client to have gone', () => call.signal.aborted);
        return (passed = await next());
      },
    };
    proxy.rule({ fault: late });
    await expect(to('/echo', { signal: gone.signal })).rejects.toThrow('abort');
    await until('its end', () => passed);
    expect([passed, target.requests.length]).toEqual(['cut', 0]);
  });

  test('a fault whose own code fails is told by close', async () => {
    const broken = { name: 'broken', run: () => Promise.reject(new TypeError('a mistake')) };
    const other = await FaultProxy.start({ target: target.endpoint });
    other.rule({ fault: broken });
    await expect(send(`${other.endpoint}/echo`, { agent })).rejects.toMatchObject({ code: 'ECONNRESET' });
    await expect(other.close()).rejects.toThrow('a mistake');
  });
});

describe('rules', () => {
  const fault = answer(500);
  const statuses = async (paths: readonly string[], options: Parameters<typeof send>[1] = {}): Promise<number[]> => {
    const seen = [];
    for (const path of paths) seen.push((await to(path, options)).status);
    return seen;
  };

  test('choose by method, path, operation, predicate and number', async () => {
    proxy.rule({ when: { path: '/a', method: 'GET' }, fault });
    proxy.rule({ when: { path: /^\/b/ }, fault });
    proxy.rule({ when: { operation: ['PutObject', 'GetObject'], nth: 2 }, fault });
    proxy.rule({ when: { is: (call) => call.query.get('q') === '1' }, fault });
    expect(await statuses(['/a', '/a/', '/b/c', '/c', '/c?q=1'])).toEqual([500, 201, 500, 201, 500]);
    expect(await statuses(['/a'], { method: 'PUT' })).toEqual([201]);
    expect(await statuses(['/o?x-id=PutObject', '/o?x-id=GetObject', '/o?x-id=GetObject'])).toEqual([201, 500, 201]);
  });

  test('of several that choose a call, each fault has the later ones behind it', async () => {
    const lost = proxy.rule({ fault: loseReply() });
    const answered = proxy.rule({ fault: answer(429) });
    await expect(to('/echo')).rejects.toMatchObject({ code: 'ECONNRESET' });
    expect([lost.happened, answered.happened, target.requests.length]).toEqual([1, 1, 0]);
    lost.remove();
    expect(await statuses(['/echo'])).toEqual([429]);
    proxy.clear();
    expect(await statuses(['/echo'])).toEqual([201]);
  });

  test('a share is chosen by the seed, whatever other rules choose', async () => {
    const paths = Array.from({ length: 100 }, (_, i) => `/${i}`);
    const run = async (seed: number, more: boolean): Promise<number[]> => {
      const other = await FaultProxy.start({ target: target.endpoint, seed });
      other.rule({ share: 0.2, fault });
      if (more) other.rule({ share: 0.5, fault: delay(0) });
      const seen = [];
      for (const path of paths) seen.push((await send(`${other.endpoint}${path}`, { agent })).status);
      await other.close();
      return seen;
    };
    const first = await run(7, false);
    const failed = first.filter((status) => status === 500).length;
    expect(failed).toBeGreaterThan(5);
    expect(failed).toBeLessThan(40);
    expect(await run(7, true)).toEqual(first);
    expect(await run(8, false)).not.toEqual(first);
  });
});

function codeOf(error: unknown): unknown {
  return (error as { code?: unknown }).code;
}

/** A reply that must not come while the proxy is open. */
function silent(reply: Promise<unknown>): { isOpenUntil(end: () => Promise<void>): Promise<void> } {
  let settled = false;
  const ended = reply.catch(codeOf).finally(() => (settled = true));
  return {
    async isOpenUntil(end) {
      // Whatever the proxy did before is seen by now: others have had their replies since.
      proxy.rule({ when: { path: '/later' }, fault: answer(200) });
      for (let i = 0; i < 5; i++) await to('/later');
      expect(settled).toBe(false);
      await end();
      expect(await ended).toBe('ECONNRESET');
      // afterEach closes what is in use.
      proxy = await FaultProxy.start({ target: target.endpoint });
    },
  };
}
