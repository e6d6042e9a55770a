import { installedAt, StandIn } from './process.js';

export interface PubsubStandInOptions {
  /** Google's own fake is the second opinion; `pubsub/main.go` says why it is not the first. */
  readonly engine?: 'own' | 'pstest';
}

/** `admin`: where it is told what to do wrong. */
export type PubsubStandIn = StandIn & { readonly admin: string };

/** Our own stand-in for Pub/Sub (`pubsub/`), in memory; what faults it does is asked of its second port. */
export async function startPubsub(
  folder: string,
  { engine = 'own' }: PubsubStandInOptions = {},
): Promise<PubsubStandIn> {
  const program = installedAt('CATCHMENT_PUBSUB', 'pubsub', 'pubsub-standin');
  const standIn = await StandIn.start(
    {
      name: 'pubsub-standin',
      ports: 2,
      command: (_folder, [port, admin]) => [
        program,
        ...['-port', String(port), '-admin', String(admin), '-engine', engine],
      ],
      answers: async ([, admin]) => {
        const response = await fetch(`http://127.0.0.1:${admin!}/seen`, { signal: AbortSignal.timeout(5_000) });
        await response.text();
        return response.ok;
      },
    },
    folder,
  );
  return Object.assign(standIn, { admin: standIn.endpoints[1]! });
}
