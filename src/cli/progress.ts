export interface ProgressBar {
  readonly advance: (bytes: number) => void;
  readonly stop: () => void;
}

/** A bar on stderr, where that is a terminal and the whole is known. */
export async function progressBar(bytes: number | undefined): Promise<ProgressBar> {
  if (!process.stderr.isTTY || bytes === undefined) return { advance: () => undefined, stop: () => undefined };
  const { default: progress } = await import('cli-progress');
  const bar = new progress.SingleBar({
    stream: process.stderr,
    format: '{bar} {percentage} % {eta_formatted}',
    hideCursor: true,
  });
  bar.start(bytes, 0);
  return { advance: (more) => bar.increment(more), stop: () => bar.stop() };
}
