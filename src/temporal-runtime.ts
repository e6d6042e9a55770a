import { ApplicationFailure } from '@temporalio/common';
import { DefaultLogger, Runtime, type MetricsExporterConfig } from '@temporalio/worker';

import { freePort } from './dev/ports.js';
import { ConfigError, describeError, Occupied } from './errors.js';
import type { Logger } from './log.js';
import { bindAddress, type MetricsAddress } from './metrics/address.js';
import { createFigures, histogramBuckets, type Figures } from './metrics/figures.js';

/**
 * Before the first connection of a process. `metrics`: where they are served, ours and Temporal's, from now until the process ends. Throws
 * `Occupied` where the port is taken, `ConfigError` where it cannot be listened on.
 */
export async function installTemporalRuntime(
  log: Logger,
  pipeline: string,
  metrics: MetricsAddress | undefined,
): Promise<Figures | undefined> {
  if (metrics === undefined) {
    install(log);
    return undefined;
  }
  const { host, port } = metrics;
  const address = bindAddress({ host, port: port === 0 ? await freePort() : port });
  try {
    install(log, exporter(address, pipeline));
  } catch (error) {
    throw cannotServe(address, error);
  }
  const runtime = Runtime.instance();
  keep(runtime);
  log.info({ metrics: `http://${address}/metrics` }, 'serving metrics');
  return createFigures(runtime.metricMeter);
}

/** For a command whose stdout is its answer: the native core would write its warnings there. Before the first connection. */
export function quietTemporalRuntime(): void {
  Runtime.install({
    shutdownSignals: [],
    telemetryOptions: { logging: { filter: 'ERROR', forward: {} } },
    logger: new DefaultLogger('ERROR', () => undefined),
  });
}

function exporter(address: string, pipeline: string): MetricsExporterConfig {
  return {
    globalTags: { pipeline },
    attachServiceName: false,
    prometheus: {
      bindAddress: address,
      countersTotalSuffix: true,
      unitSuffix: true,
      useSecondsForDurations: true,
      histogramBucketOverrides: histogramBuckets(),
    },
  };
}

/** Temporal's own signal handlers would stop the workers at the first signal: ours drain, and need them until the end. */
function install(log: Logger, metrics?: MetricsExporterConfig): void {
  Runtime.install({
    shutdownSignals: [],
    telemetryOptions: {
      // The native core writes its own lines to the terminal unless they are forwarded; its warnings are of retries alone.
      logging: { filter: 'ERROR', forward: {} },
      ...(metrics && { metrics }),
    },
    logger: new DefaultLogger('WARN', ({ level, message, meta }) => {
      // A poller has activities alone, on purpose.
      if (message.startsWith('No workflows registered')) return;
      const { workflowId, activityType, error } = (meta ?? {}) as Record<string, unknown>;
      // Only failures of our own making have a message that may be shown.
      const why = error instanceof ApplicationFailure ? { type: error.type, error: error.message } : {};
      const what = {
        ...(typeof workflowId === 'string' && { workflowId }),
        ...(typeof activityType === 'string' && { activityType }),
      };
      log[level === 'ERROR' ? 'error' : 'warn']({ ...what, ...why }, message);
    }),
  });
}

/**
 * A runtime that has no connection is shut down when an attempt at one fails, its exporter with it and all that was counted: while Temporal
 * is down there would be no metrics, just then. One reference that is never given back keeps it.
 */
function keep(runtime: Runtime): void {
  (runtime as unknown as { readonly backRefs: Set<unknown> }).backRefs.add(runtime);
}

function cannotServe(address: string, error: unknown): Error {
  const why = describeError(error);
  return /address already in use/i.test(why)
    ? new Occupied(`--metrics-port ${address}: the port is taken; name another, or 0 for a free one`)
    : new ConfigError(`--metrics-port ${address}: it cannot be listened on (${why})`);
}
