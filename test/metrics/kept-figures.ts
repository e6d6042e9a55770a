import { noopMetricMeter, type MetricMeter, type MetricTags } from '@temporalio/common';

import { createFigures, type Figures } from '../../src/metrics/figures.js';

/** Figures whose series a test can look at: `name{label="value"}` with the sum of a counter, a gauge's last value, a histogram's records. */
export function keptFigures(): { figures: Figures; series: ReadonlyMap<string, number | number[]> } {
  const series = new Map<string, number | number[]>();
  const keyOf = (name: string, labels: MetricTags = {}): string => {
    const shown = Object.entries(labels).map(([label, value]) => `${label}="${value.toString()}"`);
    return shown.length === 0 ? name : `${name}{${shown.join()}}`;
  };
  const meter: MetricMeter = {
    withTags: () => meter,
    createCounter: (name) => ({
      ...noopMetricMeter.createCounter(name),
      add: (value, labels) => {
        const key = keyOf(name, labels);
        series.set(key, ((series.get(key) as number | undefined) ?? 0) + value);
      },
    }),
    createGauge: (name) => ({
      ...noopMetricMeter.createGauge(name),
      set: (value, labels) => void series.set(keyOf(name, labels), value),
    }),
    createHistogram: (name) => ({
      ...noopMetricMeter.createHistogram(name),
      record: (value, labels) => {
        const key = keyOf(name, labels);
        series.set(key, [...((series.get(key) as number[] | undefined) ?? []), value]);
      },
    }),
  };
  return { figures: createFigures(meter), series };
}
