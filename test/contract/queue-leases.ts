import { done, expired, text, many, asText, type QueueHarness } from './queue-harness.js';

/** Who has a message, and for how long. */
export function queueLeases({
  check,
  again,
  receive,
  nothing,
  acknowledge,
  send,
  long,
  minLeaseMs,
}: QueueHarness): void {
  describe('leases', () => {
    check('what is acknowledged never comes again', async (queue) => {
      await send(queue, [text('once')]);
      await acknowledge(queue, await receive(queue, 1, minLeaseMs));
      await nothing(queue, minLeaseMs * 2);
    });

    check('what is leased comes to nobody else', async (queue) => {
      await send(queue, [text('mine')]);
      const [mine] = await receive(queue, 1);
      await Promise.all([nothing(queue, 500), nothing(await again(), 500)]);
      await acknowledge(queue, [mine!]);
    });

    check('after its lease a message comes again, with its id, sentAt, body and attributes', async (queue) => {
      const before = Date.now();
      await send(queue, [{ body: Buffer.from('again'), attributes: { kind: 'test' } }]);
      const [first] = await receive(queue, 1, minLeaseMs);
      const [second] = await receive(await again(), 1);
      expect(second).toMatchObject({ id: first!.id, sentAt: first!.sentAt, attributes: { kind: 'test' } });
      expect(asText(second!.body)).toBe('again');
      expect(Math.abs(first!.sentAt.getTime() - before)).toBeLessThan(60_000);
      expect(second!.receipt).not.toBe(first!.receipt);
      if (first!.deliveries !== undefined) expect([first!.deliveries, second!.deliveries]).toEqual([1, 2]);
    });

    check('the receipt of an older delivery acknowledges nothing', async (queue) => {
      await send(queue, [text('again')]);
      const [first] = await receive(queue, 1, minLeaseMs);
      const [second] = await receive(queue, 1);
      expect(await queue.acknowledge([first!.receipt])).toEqual([expired]);
      expect(await queue.extend([first!.receipt], 0)).toEqual([expired]);
      // Were it given back or gone, this would fail or another would get it.
      await nothing(queue);
      expect(await queue.acknowledge([second!.receipt])).toEqual([done]);
    });

    check('an extended lease holds beyond its first length', async (queue) => {
      await send(queue, [text('held')]);
      const [held] = await receive(queue, 1, minLeaseMs * 2);
      expect(await queue.extend([held!.receipt], long)).toEqual([done]);
      await nothing(queue, minLeaseMs * 3);
      await acknowledge(queue, [held!]);
    });

    check('an extension counts from now: it can shorten', async (queue) => {
      await send(queue, [text('shortened')]);
      const [first] = await receive(queue, 1, long * 4);
      expect(await queue.extend([first!.receipt], minLeaseMs)).toEqual([done]);
      expect((await receive(queue, 1))[0]?.id).toBe(first!.id);
    });

    check('extended by 0, a message comes again at once', async (queue) => {
      await send(queue, [text('given back')]);
      const [first] = await receive(queue, 1, long * 4);
      expect(await queue.extend([first!.receipt], 0)).toEqual([done]);
      const [second] = await receive(queue, 1);
      expect(second?.id).toBe(first!.id);
      expect(await queue.acknowledge([first!.receipt])).toEqual([expired]);
      await acknowledge(queue, [second!]);
    });

    check('to acknowledge twice brings nothing back and harms nobody', async (queue) => {
      await send(queue, [text('twice'), text('other')]);
      const [one, other] = await receive(queue, 2);
      await acknowledge(queue, [one!]);
      const outcomes = await queue.acknowledge([one!.receipt, other!.receipt, other!.receipt]);
      expect(outcomes).toHaveLength(3);
      expect(outcomes[1]).toEqual(done);
      await nothing(queue);
    });

    check('one receipt that no longer holds does not spoil the others of its call', async (queue) => {
      await send(queue, many(5));
      const deliveries = await receive(queue, 5);
      expect(await queue.extend([deliveries[2]!.receipt], 0)).toEqual([done]);
      const [again] = await receive(queue, 1);
      const outcomes = await queue.acknowledge(deliveries.map(({ receipt }) => receipt));
      expect(outcomes).toEqual([done, done, expired, done, done]);
      await acknowledge(queue, [again!]);
      await nothing(queue);
    });

    check('a message given back over and over does not keep a new one waiting', async (queue) => {
      await send(queue, [text('old')]);
      const { signal } = new AbortController();
      const seen = new Set<string>();
      for (let turn = 0; turn < 50 && !seen.has('new'); turn++) {
        const [one] = await queue.receive({ messages: 1, waitMs: 5000, leaseMs: long, signal });
        if (one === undefined) continue;
        seen.add(asText(one.body));
        if (turn === 0) await send(queue, [text('new')]);
        await queue.extend([one.receipt], 0);
      }
      expect(seen).toContain('new');
    });
  });
}
