/** `catchment dev` with other children, as a process to kill: the test sends the rest of the options as JSON. */
import { milliseconds } from '../../src/durations.js';
import { describeError } from '../../src/errors.js';
import { runDev, type DevOptions } from '../../src/dev/run.js';
import { screen } from '../../src/dev/screen.js';
import { stopSignals } from '../../src/dev/stop-signals.js';

const options = JSON.parse(process.argv[2]!) as Pick<DevOptions, 'dataDir' | 'children' | 'temporalPort' | 'uiPort'> & {
  drain: string;
};
try {
  const clean = await runDev({
    ...options,
    drainMs: milliseconds(options.drain, 'drain'),
    screen: screen(process.stderr),
    signals: stopSignals(),
  });
  process.exitCode = clean ? 0 : 1;
} catch (error) {
  console.error(describeError(error));
  process.exitCode = 1;
}
