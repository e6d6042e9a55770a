import { z } from 'zod';

import { settingsOf } from '../../problems.js';

/** Credentials are not among them: application default credentials alone. */
export interface PubsubOptions {
  /** Where messages are sent: `app-events`, or `projects/my-project/topics/app-events`. `catchment provision` makes it. */
  readonly topic: string;
  /** Where they are received, of that topic: `app-events-catchment`, or with `projects/…/subscriptions/` before it. */
  readonly subscription: string;
  /**
   * Where messages go that were handed out too often (`provision` says how often), and where `drain-dlq` finds them. Default:
   * they stay where they are. Pub/Sub's own service account must be let do it (docs/gcp.md).
   */
  readonly deadLetters?: { readonly topic: string; readonly subscription: string };
  /** The project of names that have none; default: that of the credentials, or `GOOGLE_CLOUD_PROJECT`. */
  readonly projectId?: string;
  /**
   * For `provision` and `check`: messages of one group (an ordering key) come in the order that they were sent in, one lot of
   * them at a time; default: false. A subscription cannot be changed to it.
   */
  readonly ordered?: boolean;
  /**
   * For `provision` and `check`: what was acknowledged in time is never delivered again, at a lower ceiling and with more
   * latency; default: false. Catchment does not need it: copies of an event are one row.
   */
  readonly exactlyOnce?: boolean;
  /**
   * The service's address where it is not `https://pubsub.googleapis.com`: that of a region, which ordering needs, or of an
   * emulator, `http://127.0.0.1:8085`, which is reached without TLS and credentials; default: `PUBSUB_EMULATOR_HOST`, if any.
   */
  readonly endpoint?: string;
  /** Where Cloud Monitoring is asked for the backlog, over plain `http` without credentials; default: `https://monitoring.googleapis.com`. */
  readonly monitoringEndpoint?: string;
}

/** A topic and its subscription, by names with or without a project. */
interface Names {
  readonly topic: string;
  readonly subscription: string;
}

/** The options, read. */
export interface PubsubSettings extends Names {
  readonly deadLetters?: Names;
  readonly projectId?: string;
  readonly ordered: boolean;
  readonly exactlyOnce: boolean;
  readonly endpoint?: string;
  readonly monitoringEndpoint?: string;
}

/** Google: Pub/Sub, "Guidelines to name a topic, subscription, schema, or snapshot"; a project's id may have a domain. */
const plain = String.raw`(?!goog)[A-Za-z][\w\-.~+%]{2,254}`;
const project = String.raw`[a-z][a-z0-9.:-]{2,62}`;

const name = (what: 'topic' | 'subscription') => {
  const message = `is no name of a ${what}; write '${what === 'topic' ? 'app-events' : 'app-events-catchment'}', or with 'projects/my-project/${what}s/' before it`;
  return z.string(message).regex(new RegExp(`^(projects/${project}/${what}s/)?${plain}$`), message);
};

const address = (example: string) => {
  const message = `is no address; write one such as '${example}', without user, password or path`;
  return z.string(message).refine(isOrigin, message);
};

function isOrigin(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { protocol, username, password, pathname, search } = new URL(text);
  return /^https?:$/.test(protocol) && username === '' && password === '' && pathname === '/' && search === '';
}

const example = "pubsub({ topic: 'app-events', subscription: 'app-events-catchment' })";

export const pubsubSchema = settingsOf(
  {
    topic: name('topic'),
    subscription: name('subscription'),
    deadLetters: settingsOf(
      { topic: name('topic'), subscription: name('subscription') },
      "are no dead letters; write { topic: 'app-dead', subscription: 'app-dead-catchment' }",
    ).optional(),
    projectId: z
      .string("is no project; write its id, such as 'my-project'")
      .regex(new RegExp(`^${project}$`), "is no id of a project; write one such as 'my-project'")
      .optional(),
    ordered: z.boolean('write true or false').optional(),
    exactlyOnce: z.boolean('write true or false').optional(),
    endpoint: address('https://europe-west1-pubsub.googleapis.com').optional(),
    monitoringEndpoint: address('https://monitoring.googleapis.com').optional(),
  },
  `are no options of Pub/Sub; write ${example}`,
).transform(({ ordered = false, exactlyOnce = false, ...given }): PubsubSettings => ({
  ...given,
  ordered,
  exactlyOnce,
}));

/** `projects/P/topics/T`; where the project is not known, as it was given. */
export function fullName(name: string, kind: 'topics' | 'subscriptions', projectId: string | undefined): string {
  return name.includes('/') || projectId === undefined ? name : `projects/${projectId}/${kind}/${name}`;
}

/** What no other part of the pipeline may name, by the option. */
export function addressesOf(settings: PubsubSettings): Record<string, string> {
  const { topic, subscription, deadLetters } = settings;
  // As the client looks for it; where the credentials alone know it, one name in two spellings is not found out.
  const { GCLOUD_PROJECT, GOOGLE_CLOUD_PROJECT } = process.env;
  const projectId = [settings.projectId, GCLOUD_PROJECT, GOOGLE_CLOUD_PROJECT].find(
    (id) => id !== undefined && id !== '',
  );
  const of = (names: Names, under: string): [string, string][] => [
    [`${under}topic`, `Pub/Sub topic ${fullName(names.topic, 'topics', projectId)}`],
    [`${under}subscription`, `Pub/Sub subscription ${fullName(names.subscription, 'subscriptions', projectId)}`],
  ];
  return Object.fromEntries([
    ...of({ topic, subscription }, ''),
    ...(deadLetters === undefined ? [] : of(deadLetters, 'deadLetters.')),
  ]);
}
