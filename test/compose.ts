import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { parse } from 'yaml';

export const root = join(import.meta.dirname, '..');
export const textOf = (...path: string[]): string => readFileSync(join(root, ...path), 'utf8');

/** What docker-compose.yml uses of a service. */
interface Service {
  readonly image?: string;
  readonly build?: { readonly context: string; readonly target: string };
  readonly pull_policy?: string;
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>;
  readonly volumes?: readonly string[];
  readonly configs?: readonly { readonly source: string; readonly target: string }[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly ports?: readonly string[];
  readonly entrypoint?: readonly string[];
  readonly command?: readonly string[];
  readonly working_dir?: string;
  readonly restart?: string;
  readonly stop_grace_period?: string;
  readonly healthcheck?: { readonly test: readonly string[] };
  readonly user?: string;
}

interface Compose {
  readonly services: Readonly<Record<string, Service>>;
  readonly volumes: Readonly<Record<string, unknown>>;
  readonly configs: Readonly<Record<string, { readonly content: string }>>;
}

export const compose = parse(textOf('docker-compose.yml'), { merge: true }) as Compose;
export const { services } = compose;

/** Those that are built here. */
export const ours = Object.entries(services).filter(([, { build }]) => build !== undefined);

/** Of the image of a service, `repository:version`. */
export function versionOf(service: string): string {
  return services[service]!.image!.split(':')[1]!;
}

/** One instruction of the Dockerfile. */
export interface Instruction {
  readonly name: string;
  readonly words: readonly string[];
  readonly text: string;
}

export interface Stage {
  readonly name: string;
  readonly image: string;
  readonly instructions: readonly Instruction[];
}

export function stagesOf(dockerfile: string): Stage[] {
  const lines = dockerfile.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  const stages: { name: string; image: string; instructions: Instruction[] }[] = [];
  for (const line of lines) {
    const [, name, text] = /^([A-Z]+) (.*)$/.exec(line)!;
    const words = text!.split(' ');
    if (name === 'FROM') stages.push({ image: words[0]!, name: words[2]!, instructions: [] });
    else stages.at(-1)!.instructions.push({ name: name!, text: text!, words });
  }
  return stages;
}
