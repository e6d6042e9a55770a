import { done, text, many, asText, bodies, same, ofSize, type QueueHarness } from './queue-harness.js';

/** What a message may hold, and how much. */
export function queueContent({ check, receive, nothing, acknowledge, send, long }: QueueHarness): void {
  describe('limits', () => {
    check('are possible ones', async ({ limits }) => {
      for (const limit of Object.values(limits)) expect(limit).toBeGreaterThan(0);
      expect(limits.messageBytes).toBeGreaterThanOrEqual(256 * 1024);
      expect(limits.leaseMs).toBeGreaterThanOrEqual(60_000);
      if (limits.holdMs !== undefined) expect(limits.holdMs).toBeGreaterThanOrEqual(limits.leaseMs);
      await Promise.resolve();
    });

    check('sizeOf counts a body no lower than its bytes, and attributes too', async (queue) => {
      const bare = queue.sizeOf(text('x'.repeat(1000)));
      expect(bare).toBeGreaterThanOrEqual(1000);
      expect(queue.sizeOf({ ...text('x'.repeat(1000)), attributes: { name: 'ü' } })).toBeGreaterThanOrEqual(bare + 6);
      await Promise.resolve();
    });

    check('a message of exactly the size limit arrives whole', async (queue) => {
      const message = ofSize(queue, queue.limits.messageBytes);
      await send(queue, [message]);
      const [delivery] = await receive(queue, 1);
      expect(same(delivery!.body, message.body)).toBe(true);
      await acknowledge(queue, [delivery!]);
    });

    check('one byte more fails for good, says how large it may be, and is never delivered', async (queue) => {
      const [outcome] = await queue.send([ofSize(queue, queue.limits.messageBytes + 1)]);
      expect(outcome).toMatchObject({ status: 'failed', retry: false });
      expect((outcome as { error: Error }).error.message).toContain(String(queue.limits.messageBytes));
      await nothing(queue);
    });

    check('a message too large in the middle fails alone: one outcome a message, in order', async (queue) => {
      const messages = [text('a'), ofSize(queue, queue.limits.messageBytes + 1), text('b'), text('c')];
      const outcomes = await queue.send(messages);
      expect(outcomes.map(({ status }) => status)).toEqual(['done', 'failed', 'done', 'done']);
      expect(bodies(await receive(queue, 3))).toEqual(['a', 'b', 'c']);
    });

    check('a receive returns no more than was wanted, nor than receiveMessages', async (queue) => {
      await send(queue, many(30));
      const { signal } = new AbortController();
      const few = await queue.receive({ messages: 3, waitMs: 5000, leaseMs: long, signal });
      expect(few.length).toBeGreaterThan(0);
      expect(few.length).toBeLessThanOrEqual(3);
      const most = await queue.receive({ messages: 1_000_000, waitMs: 5000, leaseMs: long, signal });
      expect(most.length).toBeLessThanOrEqual(queue.limits.receiveMessages);
      const rest = await receive(queue, 30 - few.length - most.length);
      expect(bodies([...few, ...most, ...rest])).toEqual(many(30).map(({ body }) => asText(body)));
    });

    check('a receive returns no more than receiveBytes, and one larger comes alone', async (queue) => {
      const large = Math.min(queue.limits.messageBytes, Math.ceil(queue.limits.receiveBytes / 2) + 1);
      await send(queue, [ofSize(queue, large), ofSize(queue, large), ofSize(queue, large)]);
      const { signal } = new AbortController();
      let got = 0;
      while (got < 3) {
        const some = await queue.receive({ messages: 10, waitMs: 5000, leaseMs: long, signal });
        const bytes = some.reduce((sum, { body }) => sum + body.length, 0);
        if (some.length > 1) expect(bytes).toBeLessThanOrEqual(queue.limits.receiveBytes);
        got += some.length;
        await acknowledge(queue, some);
      }
    });

    check('no messages and no receipts are no work', async (queue) => {
      expect(await queue.send([])).toEqual([]);
      expect(await queue.acknowledge([])).toEqual([]);
      expect(await queue.extend([], long)).toEqual([]);
    });
  });

  describe('bytes', () => {
    const bytes: Record<string, Uint8Array> = {
      empty: new Uint8Array(0),
      'one NUL': Uint8Array.of(0),
      'NULs within text': Buffer.from('a\0b\0'),
      'a leading BOM': Buffer.from('\ufeff{"a":1}'),
      'a UTF-16 BOM': Uint8Array.of(0xff, 0xfe, 0x61, 0x00),
      'U+FFFE and U+FFFF': Buffer.from('\ufffe\uffff'),
      'invalid UTF-8': Uint8Array.of(0xc3, 0x28, 0xff, 0xed, 0xa0, 0x80),
      'every byte': Uint8Array.from({ length: 256 }, (_, byte) => byte),
      'line ends': Buffer.from('\r\n\n\r'),
      'beyond the BMP': Buffer.from('🌧️ drop 𝒹'),
      'what looks like Base64': Buffer.from('AAECAw=='),
    };
    for (const [what, body] of Object.entries(bytes)) {
      check(`a body of ${what} arrives as it was sent`, async (queue) => {
        await send(queue, [{ body, attributes: { kind: 'bytes' } }]);
        const [delivery] = await receive(queue, 1);
        expect([...delivery!.body]).toEqual([...body]);
      });
    }

    check('a body that is a view of a larger buffer arrives alone, and the sender keeps its bytes', async (queue) => {
      const whole = Uint8Array.from({ length: 100 }, (_, byte) => byte);
      const sending = queue.send([{ body: whole.subarray(10, 20), attributes: {} }]);
      whole.fill(0);
      expect(await sending).toEqual([done]);
      expect(whole.length).toBe(100);
      const [delivery] = await receive(queue, 1);
      expect([...delivery!.body]).toEqual([10, 11, 12, 13, 14, 15, 16, 17, 18, 19]);
    });

    check('ten attributes arrive as they were sent, whatever their values', async (queue) => {
      const values = [
        'ü',
        '🌧️',
        'quote " and \\',
        'line\nfeed',
        '日本語',
        '{"json":true}',
        "it's",
        '0',
        'a b',
        'x'.repeat(256),
      ];
      const attributes = Object.fromEntries(values.map((value, index) => [`name-${index}.of_it`, value]));
      await send(queue, [{ body: Buffer.from('attributes'), attributes }]);
      const [delivery] = await receive(queue, 1);
      expect(delivery!.attributes).toEqual(attributes);
    });

    check('messages of one send keep their own attributes and bodies', async (queue) => {
      const messages = many(10).map((message, index) => ({ ...message, attributes: { number: String(index) } }));
      await send(queue, messages);
      for (const { body, attributes } of await receive(queue, 10))
        expect(asText(body)).toBe(`message ${attributes['number']!}`);
    });

    check('two messages with the same bytes are two messages', async (queue) => {
      await send(queue, [text('same'), text('same')]);
      const deliveries = await receive(queue, 2);
      expect(new Set(deliveries.map(({ id }) => id)).size).toBe(2);
    });
  });
}
