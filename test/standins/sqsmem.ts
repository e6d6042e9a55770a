import { answersAsSqs, installedAt, StandIn } from './process.js';

/**
 * Our own stand-in for SQS (`sqsmem/`): in memory, an SQS that forgets when it ends, and so cheap that a benchmark measures
 * something else.
 */
export async function startSqsmem(folder: string, options: { readonly inFlight?: number } = {}): Promise<StandIn> {
  const program = installedAt('CATCHMENT_SQSMEM', 'sqsmem', 'sqsmem');
  const more = options.inFlight === undefined ? [] : ['-in-flight', String(options.inFlight)];
  return await StandIn.start(
    {
      name: 'sqsmem',
      ports: 1,
      command: (_folder, [port]) => [program, '-port', String(port), ...more],
      answers: ([port]) => answersAsSqs(port!),
    },
    folder,
  );
}
