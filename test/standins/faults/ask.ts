import { once } from 'node:events';
import { request, type IncomingMessage } from 'node:http';

import { CutHere, wholeBody } from './fault.js';

export interface Asked {
  readonly status: number;
  readonly body: Buffer;
}

/** A POST to the target on a connection of its own. Where the target is away, the call that needs it is cut. */
export async function ask(target: URL, headers: Readonly<Record<string, string>>, body: Buffer): Promise<Asked> {
  try {
    const outgoing = request(target, { method: 'POST', headers, agent: false }).end(body);
    const [incoming] = (await once(outgoing, 'response')) as [IncomingMessage];
    return { status: incoming.statusCode!, body: await wholeBody(incoming) };
  } catch (error) {
    throw new CutHere('the target is away', { cause: error });
  }
}
