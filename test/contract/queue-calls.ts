import type { Delivery } from '../../src/providers/queue.js';

import { done, needs, text, many, asText, bodies, until, type QueueHarness } from './queue-harness.js';

/** Waiting, aborting, many at once, the backlog and the end. */
export function queueCalls({ check, again, receive, acknowledge, send, long, minLeaseMs }: QueueHarness): void {
  describe('waiting', () => {
    check('a receive that waits gets what is sent meanwhile, well before its wait is over', async (queue) => {
      const other = await again();
      const started = Date.now();
      const { signal } = new AbortController();
      const waiting = queue.receive({ messages: 1, waitMs: 15_000, leaseMs: long, signal });
      await send(other, [text('sent meanwhile')]);
      expect(bodies(await waiting)).toEqual(['sent meanwhile']);
      expect(Date.now() - started).toBeLessThan(10_000);
    });

    check('an abort ends a wait at once', async (queue) => {
      const stop = new AbortController();
      const waiting = queue.receive({ messages: 1, waitMs: 15_000, leaseMs: long, signal: stop.signal });
      await queue.backlog();
      const aborted = Date.now();
      stop.abort();
      expect(await waiting).toEqual([]);
      expect(Date.now() - aborted).toBeLessThan(5_000);
    });

    check('aborted before it began, a receive asks for nothing', async (queue) => {
      await send(queue, [text('left alone')]);
      const none = await queue.receive({ messages: 1, waitMs: 15_000, leaseMs: long, signal: AbortSignal.abort() });
      expect(none).toEqual([]);
      expect(await receive(queue, 1)).toHaveLength(1);
    });

    check('no leased message is dropped by an abort, whenever it comes', async (queue) => {
      const other = await again();
      const got: string[] = [];
      // Aborts fall before, while and after the message is handed out; a dropped one would be hidden for `long`.
      for (let round = 0; round < 30; round++) {
        const stop = new AbortController();
        const waiting = queue.receive({ messages: 1, waitMs: 5000, leaseMs: long, signal: stop.signal });
        const sending = send(other, [text(`round ${round}`)]);
        for (let tick = 0; tick < round % 10; tick++) await new Promise(setImmediate);
        if (round % 3 === 0) await sending;
        stop.abort();
        const some = await waiting;
        await sending;
        got.push(...some.map(({ body }) => asText(body)));
        await acknowledge(queue, some);
      }
      const rest = await receive(queue, 30 - got.length);
      expect([...got, ...rest.map(({ body }) => asText(body))].sort()).toEqual(
        Array.from({ length: 30 }, (_, round) => `round ${round}`).sort(),
      );
    });
  });

  describe('several at once', () => {
    check('each message is leased to one of many receivers', async (queue) => {
      const others = [queue, queue, await again(), await again()];
      const sent = many(60);
      await send(queue, sent);
      const got: Delivery[] = [];
      await Promise.all(
        others.map(async (one) => {
          const { signal } = new AbortController();
          for (let empty = 0; got.length < sent.length && empty < 20;) {
            const some = await one.receive({ messages: 4, waitMs: 250, leaseMs: long, signal });
            empty = some.length === 0 ? empty + 1 : 0;
            got.push(...some);
            await acknowledge(one, some);
          }
        }),
      );
      expect(bodies(got)).toEqual(sent.map(({ body }) => asText(body)));
    });

    check('many sends at once all arrive', async (queue) => {
      const other = await again();
      const sent = many(80);
      await Promise.all(sent.map((message, index) => send(index % 2 === 0 ? queue : other, [message])));
      const got: Delivery[] = [];
      while (got.length < sent.length) {
        const some = await receive(queue, 10);
        if (some.length === 0) break;
        got.push(...some);
        await acknowledge(queue, some);
      }
      expect(bodies(got)).toEqual(sent.map(({ body }) => asText(body)));
    });

    check('a queue opened again holds what was sent before', async (queue) => {
      await send(queue, [text('kept')]);
      await queue.close();
      const [kept] = await receive(await again(), 1);
      expect(asText(kept!.body)).toBe('kept');
    });

    check('what is held when a queue is closed comes again to another', async (queue) => {
      await send(queue, [text('held')]);
      const [held] = await receive(queue, 1, minLeaseMs * 2);
      await queue.close();
      expect((await receive(await again(), 1))[0]?.id).toBe(held!.id);
    });
  });

  describe('and the rest', () => {
    check('the backlog is empty at first and in the end, and sees what waits', async (queue) => {
      expect(await queue.backlog()).toMatchObject({ waiting: 0, leased: 0 });
      await send(queue, many(20));
      await until(async () => (await queue.backlog()).waiting > 0);
      await acknowledge(queue, await receive(queue, 20));
      await until(async () => {
        const { waiting, leased } = await queue.backlog();
        return waiting + leased === 0;
      });
    });

    check('the backlog sees what is leased', async (queue) => {
      await send(queue, [text('leased')]);
      await receive(queue, 1);
      await until(async () => (await queue.backlog()).leased > 0);
    });

    check('the oldest message is no younger than it is', async (queue) => {
      await send(queue, [text('old')]);
      await until(async () => (await queue.backlog()).waiting > 0);
      const { oldestMs } = await queue.backlog();
      if (oldestMs !== undefined) expect(oldestMs).toBeGreaterThanOrEqual(0);
    });

    check('check finds nothing wrong with a queue that works', async (queue) => {
      const findings = await queue.check(needs);
      expect(findings.length).toBeGreaterThan(0);
      expect(findings.filter(({ level }) => level === 'error')).toEqual([]);
    });

    check('close waits for a send under way, ends a receive, and may be repeated', async (queue) => {
      const { signal } = new AbortController();
      const waiting = queue.receive({ messages: 1, waitMs: 30_000, leaseMs: minLeaseMs, signal });
      await queue.backlog();
      const sending = queue.send([text('under way')]);
      await Promise.all([queue.close(), queue.close()]);
      expect(await sending).toEqual([done]);
      const got = await waiting;
      expect(bodies(got.length > 0 ? got : await receive(await again(), 1))).toEqual(['under way']);
    });

    check('a closed queue says that it is closed', async (queue) => {
      await queue.close();
      const { signal } = new AbortController();
      await expect(queue.receive({ messages: 1, waitMs: 0, leaseMs: long, signal })).rejects.toThrow(/closed/);
      expect(await queue.send([text('late')])).toMatchObject([{ status: 'failed', retry: false }]);
    });
  });
}
