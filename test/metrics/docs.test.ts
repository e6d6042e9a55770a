import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { parse } from 'yaml';

import { definitions } from '../../src/metrics/figures.js';
import { documentedMetrics } from './page.js';

const docs = join(import.meta.dirname, '..', '..', 'docs');
const operations = readFileSync(join(docs, 'operations.md'), 'utf8');

interface Rule {
  readonly alert: string;
  readonly expr: string;
  readonly for: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
}
const { groups } = parse(readFileSync(join(docs, 'alerts.yml'), 'utf8')) as { groups: { rules: Rule[] }[] };
const rules = groups.flatMap((group) => group.rules);

test('the page has every metric of the code, and no other, with its type and labels', () => {
  const { ours } = documentedMetrics();
  const page = ours.map(({ metric, type, labels }) => ({ metric, type, labels }));
  const code = Object.values(definitions).map(({ metric, kind, labels }) => {
    return { metric: kind === 'counter' ? `${metric}_total` : metric, type: kind, labels: [...labels] };
  });
  expect(page).toEqual(code);
});

test('names are as Prometheus wants them, and no label could be anything of an event', () => {
  for (const { metric, kind, labels } of Object.values(definitions)) {
    expect(metric).toMatch(/^(catchment|process)(_[a-z]+)+$/);
    expect(metric).not.toMatch(/_(total|count|sum|bucket|milliseconds|ms|kilobytes)$/);
    if (kind === 'counter') expect(metric).toMatch(/_(events|rows|overs|failures|seconds)$/);
    for (const label of labels) expect(['source', 'queue', 'table', 'part', 'activity', 'error']).toContain(label);
  }
});

describe('the alert rules', () => {
  test.each(rules.map((rule) => [rule.alert, rule] as const))(
    '%s is whole, and says what to do first',
    (alert, rule) => {
      expect(alert).toMatch(/^Catchment[A-Z]\w+$/);
      expect(rule.for).toMatch(/^\d+[mh]$/);
      expect(['warning', 'critical']).toContain(rule.labels['severity']);
      expect(Object.keys(rule.annotations)).toEqual(['summary', 'runbook']);
      const anchor = alert.toLowerCase();
      expect(rule.annotations['runbook']).toBe(`docs/operations.md#${anchor}`);
      expect(operations.toLowerCase()).toContain(`\n### ${anchor}\n`);
    },
  );

  test.each(rules.map((rule) => [rule.alert, rule] as const))('%s is about metrics that there are', (_, { expr }) => {
    const { ours, temporals } = documentedMetrics();
    const known = new Set(['up', ...temporals, ...ours.flatMap(({ metric, type }) => seriesOf(metric, type))]);
    const labelsOf = new Map(ours.map(({ metric, labels }) => [metric, labels]));
    const used = metricsIn(expr);
    expect(used).not.toEqual([]);
    for (const { metric, labels } of used) {
      expect(known).toContain(metric);
      const its = labelsOf.get(metric.replace(/_(bucket|count|sum)$/, ''));
      if (its !== undefined) for (const label of labels) expect(its).toContain(label);
    }
  });

  test('what a summary says of labels, its expression leaves there', () => {
    for (const { alert, expr, annotations } of rules) {
      const said = [...annotations['summary']!.matchAll(/\$labels\.(\w+)/g)].map(([, label]) => label!);
      const kept = [...expr.matchAll(/\bby \(([^)]*)\)/g)].map(([, labels]) => labels!.split(', '));
      // Without an aggregation all labels stay; \`absent\` gives none, and then the summary is poorer, not wrong.
      if (kept.length === 0 || !/^(sum|max|min|histogram|time)/.test(expr)) continue;
      for (const label of said)
        expect({ alert, label, kept: kept.flat() }).toMatchObject({
          kept: expect.arrayContaining([label]) as string[],
        });
    }
  });

  test('an alert that is named in the operations page is a rule', () => {
    const named = [...operations.matchAll(/^### (Catchment\w+)$/gm)].map(([, name]) => name!);
    expect(named.toSorted()).toEqual(rules.map(({ alert }) => alert).toSorted());
  });

  test('a metric, a label or a bracket that is wrong is found', () => {
    expect(() => metricsIn('max by (table) (catchment_nonsense > 5')).toThrow('bracket');
    expect(metricsIn('sum(rate(catchment_x_total{table="a", other=~"b"}[5m])) > 0 or absent(up)')).toEqual([
      { metric: 'catchment_x_total', labels: ['table', 'other'] },
      { metric: 'up', labels: [] },
    ]);
  });
});

function seriesOf(metric: string, type: string): string[] {
  return type === 'histogram' ? [`${metric}_bucket`, `${metric}_count`, `${metric}_sum`] : [metric];
}

/** Functions, operators and keywords of PromQL that the rules use: another one is taken for a metric, and is unknown. */
const words = /^(sum|max|min|by|on|and|or|group_left|rate|increase|time|absent|histogram_quantile)$/;

/** The metrics of an expression, with the labels that are matched. Throws where brackets do not match. */
function metricsIn(expr: string): { metric: string; labels: string[] }[] {
  const open = { ')': '(', ']': '[', '}': '{' } as Readonly<Record<string, string>>;
  const stack: string[] = [];
  for (const sign of expr.replace(/"[^"]*"/g, '""').replace(/[^()[\]{}]/g, ''))
    if (!(sign in open)) stack.push(sign);
    else if (stack.pop() !== open[sign]) throw new Error(`a bracket does not match in ${expr}`);
  if (stack.length > 0) throw new Error(`a bracket is not closed in ${expr}`);
  // Labels that are grouped by, and ranges, are no metrics.
  const bare = expr.replace(/\b(by|on|group_left) \([^)]*\)/g, '').replace(/\[[^\]]*\]/g, '');
  return [...bare.matchAll(/\b([a-zA-Z_]\w*)\b(?:\{([^}]*)\})?/g)].flatMap(([, metric, matchers = '']) => {
    if (words.test(metric!)) return [];
    return [{ metric: metric!, labels: [...matchers.matchAll(/(\w+)(?:=~?|!=)"/g)].map(([, label]) => label!) }];
  });
}
