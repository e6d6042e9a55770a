/** What a process serves at `/metrics`. */
export interface Scrape {
  readonly text: string;
  /** By the metric's name, its type. */
  readonly types: ReadonlyMap<string, string>;
  readonly samples: readonly Sample[];
  /** The sum over the samples of a name with these labels; undefined where there is none. */
  readonly value: (name: string, labels?: Readonly<Record<string, string>>) => number | undefined;
}

interface Sample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

const sampleLine = /^([a-zA-Z_]\w*)(?:\{((?:[a-zA-Z_]\w*="(?:[^"\\]|\\.)*",?)*)\})? (NaN|[+-]Inf|-?[\d.e+-]+)$/;

/** Throws where the process does not answer, or a line is not of Prometheus' text format. */
export async function scrape(url: string): Promise<Scrape> {
  const response = await fetch(url);
  const text = await response.text();
  if (response.status !== 200) throw new Error(`${url} answered ${response.status}`);
  const types = new Map<string, string>();
  const samples: Sample[] = [];
  for (const line of text.split('\n')) {
    const [, typed, type] = /^# TYPE (\S+) (counter|gauge|histogram)$/.exec(line) ?? [];
    if (typed !== undefined) types.set(typed, type!);
    if (line === '' || line.startsWith('#')) continue;
    const [, name, labels = '', value] = sampleLine.exec(line) ?? [];
    if (name === undefined) throw new Error(`no line of a sample: ${line}`);
    const pairs = [...labels.matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)].map(([, label, text]) => [label, text]);
    samples.push({ name, labels: Object.fromEntries(pairs) as Sample['labels'], value: Number(value) });
  }
  return {
    text,
    types,
    samples,
    value(name, wanted = {}) {
      const found = samples.filter(
        (sample) =>
          sample.name === name && Object.entries(wanted).every(([label, text]) => sample.labels[label] === text),
      );
      return found.length === 0 ? undefined : found.reduce((sum, { value }) => sum + value, 0);
    },
  };
}

/** Where a process said that it serves, in its log. */
export function servedAt(log: string, part: string): string | undefined {
  const line = log
    .split('\n')
    .findLast((each) => each.includes(`"part":"${part}"`) && each.includes('"serving metrics"'));
  return line === undefined ? undefined : (JSON.parse(line) as { metrics: string }).metrics;
}
