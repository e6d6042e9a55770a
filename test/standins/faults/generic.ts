import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';

import { CutHere, wholeBody, type Fault, type Reply } from './fault.js';

/** Answers in the target's place, which never sees the request. Counts as its status: `503`. */
export function answer(status: number, body = '', headers: Readonly<Record<string, string>> = {}): Fault {
  const bytes = Buffer.from(body);
  const all = Object.entries({ 'content-length': String(bytes.length), ...headers }).flat();
  return {
    name: String(status),
    run(_call, { happened }) {
      happened();
      return Promise.resolve({ status, headers: all, body: bytes });
    },
  };
}

/**
 * The target does it and answers, but the client never learns: its connection is destroyed, or with `hang` stays open
 * and silent.
 */
export function loseReply(how: 'cut' | 'hang' = 'cut'): Fault {
  return {
    name: 'loseReply',
    async run(_call, { next, happened }) {
      const outcome = await next();
      if (typeof outcome === 'string') return outcome;
      await wholeBody(outcome.body);
      happened();
      return how;
    },
  };
}

/** Takes the request late to the target. */
export function delay(ms: number): Fault {
  return {
    name: 'delay',
    async run(call, { next, happened }) {
      await sleep(ms, undefined, { signal: call.signal });
      happened();
      return next();
    },
  };
}

/** Takes the whole request; the target never sees it, nothing comes back, and the socket stays open until `close`. */
export function halfOpen(): Fault {
  return {
    name: 'halfOpen',
    async run(call, { happened }) {
      await call.body();
      happened();
      return 'hang';
    },
  };
}

/** The reply falls silent after so many bytes of its body; the target has done what was asked. */
export function halfOpenAfter(bytes: number): Fault {
  return endingAfter(bytes, 'halfOpenAfter', async (signal) => {
    if (!signal.aborted) await once(signal, 'abort');
    throw new CutHere();
  });
}

/** The connection is destroyed after so many bytes of the reply's body; the target has done what was asked. */
export function cutAfter(bytes: number): Fault {
  return endingAfter(bytes, 'cutAfter', () => Promise.reject(new CutHere()));
}

/** The reply comes whole, but its first byte is another, and its head tells nothing of it. */
export function corrupt(): Fault {
  async function* changed(body: Reply['body'], happened: () => void): AsyncGenerator<Buffer> {
    let isFirst = true;
    for await (const chunk of Buffer.isBuffer(body) ? [body] : body) {
      const bytes = Buffer.from(chunk);
      if (isFirst && bytes.length > 0) {
        bytes[0] = ~bytes[0]!;
        isFirst = false;
        happened();
      }
      yield bytes;
    }
  }
  return {
    name: 'corrupt',
    async run(_call, { next, happened }) {
      const outcome = await next();
      return typeof outcome === 'string' ? outcome : { ...outcome, body: changed(outcome.body, happened) };
    },
  };
}

/** Headers of the request whose names, in lower case, match are lost, as with a target that does not know them. */
export function withoutHeaders(names: RegExp): Fault {
  return {
    name: 'withoutHeaders',
    run(call, { next, happened }) {
      if (Object.keys(call.headers).some((name) => names.test(name))) happened();
      return next(undefined, names);
    },
  };
}

/** Destroys the connection when a request comes, as a server does that is just dying. The target never sees it. */
export function refuse(): Fault {
  return {
    name: 'refuse',
    run(_call, { happened }) {
      happened();
      return Promise.resolve('cut');
    },
  };
}

/** A reply with a shorter body goes through whole, and the fault has not happened. */
function endingAfter(bytes: number, name: string, end: (signal: AbortSignal) => Promise<never>): Fault {
  async function* start(body: Reply['body'], signal: AbortSignal, happened: () => void): AsyncGenerator<Buffer> {
    let left = bytes;
    for await (const chunk of Buffer.isBuffer(body) ? [body] : body) {
      if (chunk.length > left) {
        yield chunk.subarray(0, left);
        happened();
        await end(signal);
      }
      left -= chunk.length;
      yield chunk;
    }
  }
  return {
    name,
    async run(call, { next, happened }) {
      const outcome = await next();
      if (typeof outcome === 'string') return outcome;
      return { ...outcome, body: start(outcome.body, call.signal, happened) };
    },
  };
}
