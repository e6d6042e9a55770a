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

  const toTarget = async (replaced: Buffer | undefined, lost: readonly RegExp[]): Promise<Outcome> => {
    const body = replaced ?? (call.wasRead ? await call.body() : undefined);
    const headers = without(request.rawHeaders, lost);
    return line.pass({
      method: call.method,
      url: request.url!,
      headers: replaced === undefined ? headers : withLength(headers, replaced.length),
      signal,
      onContinue,
      send: (outgoing) => {
        if (body !== undefined) outgoing.end(body);
        // No pipeline: a target that answers early, and reads no further, must not end the client's connection.
        else request.pipe(outgoing);
      },
    });
  };
  const through = (
    [rule, ...behind]: readonly ActiveRule[],
    body: Buffer | undefined,
    lost: readonly RegExp[],
  ): Promise<Outcome> => {
    if (rule === undefined) return toTarget(body, lost);
    return rule.fault.run(call, {
      next: (replaced = body, more?) => through(behind, replaced, more === undefined ? lost : [...lost, more]),
      ask: (headers, ownBody) => ask(target, headers, ownBody),
      happened: (times = 1) => {
        rule.happened += times;
        seen.noteFault(rule.fault.name, times);
      },
      random: rule.random,
    });
  };
  return through(
    rules.filter((rule) => rule.chooses(call)),
    undefined,
    [],
  );
}

/** The headers, names and values in turn, for another body. */
function withLength(headers: readonly string[], length: number): string[] {
  return ['content-length', String(length), ...without(headers, [/^(content-length|transfer-encoding)$/])];
}

function without(headers: readonly string[], lost: readonly RegExp[]): string[] {
  const kept: string[] = [];
  for (let i = 0; i < headers.length; i += 2) {
    const name = headers[i]!.toLowerCase();
    if (!lost.some((pattern) => pattern.test(name))) kept.push(headers[i]!, headers[i + 1]!);
  }
  return kept;
}
