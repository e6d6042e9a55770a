import type { Delivery, Message, Outcome, Queue } from '../../src/providers/queue.js';

export interface QueueUnderTest {
  readonly name: string;
  /** A queue of its own for `which`, empty at first; the same `which` opens the same queue again, as another process would. */
  readonly open: (which: string) => Promise<Queue>;
  /** The shortest lease, in milliseconds, that the queue can keep and let lapse. */
  readonly minLeaseMs: number;
  /** Titles of tests that this implementation cannot pass, each with the reason. */
  readonly skip?: readonly { readonly tests: readonly string[]; readonly reason: string }[];
}

/** What every queue must do. Approximate counts and any order are allowed, so nothing here relies on them. */
export function queueContract({ name, open, minLeaseMs, skip = [] }: QueueUnderTest): void {
  const opened: Queue[] = [];
  let tests = 0;
  let which = '';
  const again = async (): Promise<Queue> => {
    const queue = await open(which);
    opened.push(queue);
    return queue;
  };

  const check = (title: string, run: (queue: Queue) => Promise<void>): void => {
    const skipped = skip.find((one) => one.tests.includes(title));
    if (skipped === undefined) test(title, async () => run(await again()));
    else test.skip(`${title} (${skipped.reason})`, () => undefined);
  };

  const long = Math.max(30_000, minLeaseMs);

  /** Receives until `enough`, or until nothing more has come for a while. */
  const receive = async (queue: Queue, enough: number, leaseMs = long): Promise<Delivery[]> => {
    const all: Delivery[] = [];
    const { signal } = new AbortController();
    for (let empty = 0; all.length < enough && empty < 20;) {
      const got = await queue.receive({ messages: Math.min(10, enough), waitMs: 500, leaseMs, signal });
      empty = got.length === 0 ? empty + 1 : 0;
      all.push(...got);
    }
    return all;
  };

  /** Nothing comes for `waitMs`. */
  const nothing = async (queue: Queue, waitMs = 200): Promise<void> => {
    const { signal } = new AbortController();
    expect(await queue.receive({ messages: 10, waitMs, leaseMs: long, signal })).toEqual([]);
  };

  const acknowledge = async (queue: Queue, deliveries: readonly Delivery[]): Promise<void> => {
    const outcomes = await queue.acknowledge(deliveries.map(({ receipt }) => receipt));
    expect(outcomes).toEqual(deliveries.map(() => done));
  };

  const send = async (queue: Queue, messages: readonly Message[]): Promise<void> => {
    expect(await queue.send(messages)).toEqual(messages.map(() => done));
  };

  describe(name, () => {
    beforeEach(() => {
      which = `test-${++tests}`;
    });
    afterEach(async () => {
      await Promise.all(opened.splice(0).map((queue) => queue.close()));
    });

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
      check('the backlog is empty at first, and sees what waits and what is leased', async (queue) => {
        expect(await queue.backlog()).toMatchObject({ waiting: 0, leased: 0 });
        await send(queue, many(20));
        await until(async () => (await queue.backlog()).waiting > 0);
        const held = await receive(queue, 20);
        await until(async () => (await queue.backlog()).leased > 0);
        await acknowledge(queue, held);
        await until(async () => {
          const { waiting, leased } = await queue.backlog();
          return waiting + leased === 0;
        });
      });

      check('the oldest message is no younger than it is', async (queue) => {
        await send(queue, [text('old')]);
        await until(async () => (await queue.backlog()).waiting > 0);
        const { oldestMs } = await queue.backlog();
        if (oldestMs !== undefined) expect(oldestMs).toBeGreaterThanOrEqual(0);
      });

      check('check finds nothing wrong with a queue that works', async (queue) => {
        const findings = await queue.check();
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
  });
}

const done: Outcome = { status: 'done' };
const expired: Outcome = { status: 'expired' };

const text = (body: string): Message => ({ body: Buffer.from(body), attributes: {} });
const many = (count: number): Message[] =>
  Array.from({ length: count }, (_, index) => text(`message ${String(index).padStart(count > 10 ? 3 : 1, '0')}`));
const asText = (body: Uint8Array): string => Buffer.from(body).toString();
const bodies = (deliveries: readonly Delivery[]): string[] => deliveries.map(({ body }) => asText(body)).sort();
const same = (a: Uint8Array, b: Uint8Array): boolean => Buffer.compare(a, b) === 0;

/** A message of that size by the queue's own measure. */
function ofSize(queue: Queue, bytes: number): Message {
  const message = (length: number): Message => ({ body: Buffer.alloc(length, 'size'), attributes: {} });
  let low = 0;
  let high = bytes;
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if (queue.sizeOf(message(middle)) <= bytes) low = middle;
    else high = middle - 1;
  }
  // Where an encoding leaves gaps, the largest below the limit serves as "exactly", and the next above it as "more".
  return queue.sizeOf(message(low)) === bytes || bytes <= queue.limits.messageBytes ? message(low) : message(low + 1);
}

async function until(holds: () => Promise<boolean>): Promise<void> {
  while (!(await holds())) await new Promise((resolve) => setTimeout(resolve, 20));
}
