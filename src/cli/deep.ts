import { availableParallelism } from 'node:os';

import type { Settings } from '../config/settings.js';
import type { DeepOptions } from '../reconcile/deep.js';
import { progressBar, type ProgressBar } from './progress.js';

const mostThreads = 4;

/** Lends what a deep comparison needs: threads with the user's code, and a bar of how much of the lake is read. */
export async function compareDeep<Result>(
  settings: Settings,
  signal: AbortSignal,
  compare: (deep: DeepOptions) => Promise<Result>,
): Promise<Result> {
  const { createTransformer } = await import('../transform/transformer.js');
  const { configPlace } = await import('../worker/definitions.js');
  // This thread reads and parses as well.
  const threads = Math.min(mostThreads, Math.max(1, availableParallelism() - 1));
  const transformer = createTransformer(configPlace(settings), { threads });
  signal.addEventListener('abort', () => void transformer.close());
  let bar: { readonly shown: Promise<ProgressBar>; told: number } | undefined;
  const onProgress: DeepOptions['onProgress'] = ({ bytes, of }) => {
    const now = (bar ??= { shown: progressBar(of), told: 0 });
    const more = bytes - now.told;
    now.told = bytes;
    void now.shown.then((shown) => shown.advance(more));
  };
  try {
    return await compare({ transformer, onProgress });
  } finally {
    (await bar?.shown)?.stop();
    await transformer.close();
  }
}
