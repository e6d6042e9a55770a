import type { MetricMeter, MetricTags } from '@temporalio/common';

/**
 * Every metric of ours. `labels` are names of the config's own things, never anything of an event, so that their number is
 * bounded; `pipeline` is on each besides. A counter's name gets `_total` at the end when it is served.
 */
export const definitions = {
  storedEvents: counter('catchment_stored_events', ['source'], 'Events stored in the lake and rung for'),
  batchEvents: histogram(
    'catchment_batch_events',
    ['source'],
    'Events of a stored batch, which is one lake object',
    [1, 10, 100, 1_000, 2_500, 5_000, 10_000, 20_000],
  ),
  batchBytes: histogram(
    'catchment_batch_bytes',
    ['source'],
    'Bytes of a stored batch as envelopes, before compression',
    [1e3, 1e4, 1e5, 1e6, 4e6, 8e6, 16e6, 64e6],
  ),
  heldEvents: gauge('catchment_held_events', ['source'], 'Events that this process holds and the lake has not yet'),
  heldBytes: gauge(
    'catchment_held_bytes',
    ['source'],
    'Bytes of messages that this process holds and the lake has not yet',
  ),
  queueWaiting: gauge('catchment_queue_waiting_messages', ['queue'], 'Messages on the queue that nobody has'),
  queueLeased: gauge(
    'catchment_queue_leased_messages',
    ['queue'],
    'Messages that a poller has and has not acknowledged',
  ),
  queueOldest: gauge('catchment_queue_oldest_message_seconds', ['queue'], 'Age of the oldest message on the queue'),
  freshness: gauge(
    'catchment_freshness_seconds',
    ['table'],
    'Age of the oldest stored event that is not known to be queryable',
  ),
  oldestUnloaded: gauge(
    'catchment_oldest_unloaded_object_seconds',
    [],
    'Age of the oldest lake object that some table lacks',
  ),
  unloadedObjects: gauge('catchment_unloaded_objects', ['table'], 'Lake objects that the table owes and lacks'),
  loadedRows: counter('catchment_loaded_rows', ['table'], 'Rows that loads of this process committed'),
  rejectedEvents: counter('catchment_rejected_events', ['table'], 'Events that loads of this process rejected'),
  duplicateEvents: counter(
    'catchment_duplicate_events',
    ['table'],
    'Copies of events that loads of this process left out',
  ),
  handOvers: counter('catchment_hand_overs', ['table'], 'Times that the table was handed over to its backfill'),
  activityFailures: counter('catchment_activity_failures', ['activity', 'error'], 'Attempts of activities that failed'),
  reconcileOk: gauge(
    'catchment_reconcile_ok',
    [],
    'Whether the last reconcile of this process found all well: 1, else 0',
  ),
  reconcileEnded: gauge('catchment_reconcile_timestamp_seconds', [], 'When the last reconcile of this process ended'),
  provedUntil: gauge(
    'catchment_reconcile_proved_until_timestamp_seconds',
    [],
    'Up to when the last reconcile proved all',
  ),
  tableRows: gauge('catchment_table_rows', ['table'], 'Rows of the table as the last reconcile counted them'),
  tableRejections: gauge('catchment_table_rejections', ['table'], 'Rejected events as the last reconcile counted them'),
  partUp: gauge('catchment_part_up', ['part'], 'Whether the part answered when it was last asked: 1, else 0'),
  eventLoopLag: histogram(
    'catchment_event_loop_lag_seconds',
    [],
    'Longest stall of the event loop within each second',
    [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5],
  ),
  eventLoopBusy: gauge('catchment_event_loop_busy_ratio', [], 'Share of the last second that the event loop was busy'),
  cpu: counter('process_cpu_seconds', [], 'CPU time of the process, user and system'),
  memory: gauge('process_resident_memory_bytes', [], 'Memory of the process that is resident'),
} as const;

/** The instruments, by what they measure. */
export type Figures = { readonly [Name in keyof typeof definitions]: Instrument<(typeof definitions)[Name]> };

/** Of one meter; see `installTemporalRuntime`. */
export function createFigures(meter: MetricMeter): Figures {
  const made = Object.entries(definitions).map(([name, { kind, metric, help }]) => {
    if (kind === 'counter') return [name, { add: unfailing(meter.createCounter(metric, '', help), 'add') }];
    if (kind === 'gauge') return [name, { set: unfailing(meter.createGauge(metric, 'float', '', help), 'set') }];
    return [name, { record: unfailing(meter.createHistogram(metric, 'float', '', help), 'record') }];
  });
  return Object.fromEntries(made) as Figures;
}

type Tell = (value: number, labels?: MetricTags) => void;

/** A number that the meter does not take must never be why a load is tried again for ever. */
function unfailing<Verb extends string>(instrument: Readonly<Record<Verb, Tell>>, verb: Verb): Tell {
  return (value, labels) => {
    try {
      instrument[verb](value, labels);
    } catch {
      // The figure is lost, the work is not.
    }
  };
}

/** Upper bounds of each histogram's buckets, as the exporter takes them. */
export function histogramBuckets(): Record<string, number[]> {
  const histograms = Object.values(definitions).filter((definition) => definition.kind === 'histogram');
  return Object.fromEntries(histograms.map(({ metric, buckets }) => [metric, [...buckets]]));
}

interface Definition {
  readonly kind: 'counter' | 'gauge' | 'histogram';
  readonly metric: string;
  readonly labels: readonly string[];
  readonly help: string;
}

type Labelled<Of extends Definition, Value extends unknown[]> = Of['labels'] extends readonly []
  ? (...value: Value) => void
  : (...value: [...Value, labels: Record<Of['labels'][number], string>]) => void;

type Instrument<Of extends Definition> = {
  readonly [Verb in { counter: 'add'; gauge: 'set'; histogram: 'record' }[Of['kind']]]: Labelled<Of, [value: number]>;
};

function counter<const Labels extends readonly string[]>(metric: string, labels: Labels, help: string) {
  return { kind: 'counter', metric, labels, help } as const;
}

function gauge<const Labels extends readonly string[]>(metric: string, labels: Labels, help: string) {
  return { kind: 'gauge', metric, labels, help } as const;
}

function histogram<const Labels extends readonly string[]>(
  metric: string,
  labels: Labels,
  help: string,
  buckets: readonly number[],
) {
  return { kind: 'histogram', metric, labels, help, buckets } as const;
}
