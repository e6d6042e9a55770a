import { readFileSync } from 'node:fs';
import { join } from 'node:path';

export interface DocumentedMetric {
  readonly metric: string;
  readonly type: string;
  readonly labels: readonly string[];
  /** Which process serves it. */
  readonly of: 'poll' | 'worker' | 'both';
}

/** What docs/metrics.md tells of: metrics of ours, in order, and names of Temporal's. */
export function documentedMetrics(): { ours: DocumentedMetric[]; temporals: string[] } {
  const page = readFileSync(join(import.meta.dirname, '..', '..', 'docs', 'metrics.md'), 'utf8');
  const rows = page.split('\n').filter((line) => line.startsWith('| `'));
  const cells = rows.map((row) => row.split('|').map((cell) => cell.trim()));
  const ours = cells.filter((row) => row.length === 8);
  return {
    ours: ours.map(([, metric, type, labels, , of]) => ({
      metric: metric!.replaceAll('`', ''),
      type: type!,
      labels: [...labels!.matchAll(/`(\w+)`/g)].map(([, label]) => label!),
      of: of as DocumentedMetric['of'],
    })),
    temporals: cells.filter((row) => row.length === 4).map(([, metric]) => metric!.replaceAll('`', '')),
  };
}
