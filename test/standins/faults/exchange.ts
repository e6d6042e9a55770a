import type { IncomingMessage, ServerResponse } from 'node:http';

import { ask } from './ask.js';
import { callOf } from './call.js';
import type { Outcome } from './fault.js';
import type { Line } from './line.js';
import type { ActiveRule } from './rules.js';
import type { Seen } from './seen.js';

export interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly line: Line;
  readonly target: URL;
  readonly rules: readonly ActiveRule[];
  readonly seen: Seen;
  /** Aborted when the client has gone away. */
  readonly signal: AbortSignal;
}

/** Takes one request through the faults of the rules that choose it, one behind the other, and to the target. */
export function outcomeOf({ request, response, line, target, rules, seen, signal }: Exchange): Promise<Outcome> {
  let heldBack = request.headers.expect?.toLowerCase() === '100-continue';
  const onContinue = (): void => {
    if (heldBack) response.writeContinue();
    heldBack = false;
  };
  const call = callOf(request, signal, onContinue);
  seen.noteCall(call.operation);

  const toTarget = async (replaced: Buffer | undefined): Promise<Outcome> => {
    const body = replaced ?? (call.wasRead ? await call.body() : undefined);
    return line.pass({
      method: call.method,
      url: request.url!,
      headers: replaced === undefined ? request.rawHeaders : withLength(request.rawHeaders, replaced.length),
      signal,
      onContinue,
      send: (outgoing) => {
        if (body !== undefined) outgoing.end(body);
        // No pipeline: a target that answers early, and reads no further, must not end the client's connection.
        else request.pipe(outgoing);
      },
    });
  };
  const through = ([rule, ...behind]: readonly ActiveRule[], body?: Buffer): Promise<Outcome> => {
    if (rule === undefined) return toTarget(body);
    return rule.fault.run(call, {
      next: (replaced = body) => through(behind, replaced),
      ask: (headers, ownBody) => ask(target, headers, ownBody),
      happened: (times = 1) => {
        rule.happened += times;
        seen.noteFault(rule.fault.name, times);
      },
      random: rule.random,
    });
  };
  return through(rules.filter((rule) => rule.chooses(call)));
}

/** The headers, names and values in turn, for another body. */
function withLength(headers: readonly string[], length: number): string[] {
  const kept = ['content-length', String(length)];
  for (let i = 0; i < headers.length; i += 2) {
    const name = headers[i]!.toLowerCase();
    if (name !== 'content-length' && name !== 'transfer-encoding') kept.push(headers[i]!, headers[i + 1]!);
  }
  return kept;
}
