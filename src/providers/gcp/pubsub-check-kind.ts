import type { Finding } from '../queue.js';
import type { Subscription } from './pubsub-calls.js';

type Trouble = Finding & { readonly remedy: string };

/** Whether what is sent to the topic comes out of the subscription, all of it, as it was sent, and to who pulls. */
export function checkKind(found: Subscription, topic: string): Finding[] {
  const foreign = findForeign(found, topic);
  const findings: Finding[] = foreign === undefined ? [] : [foreign];
  const { pushConfig, bigqueryConfig, cloudStorageConfig, bigtableConfig } = found;
  const others = [bigqueryConfig, cloudStorageConfig, bigtableConfig];
  if ((pushConfig?.pushEndpoint ?? '') !== '' || others.some((config) => config != null))
    findings.push({
      level: 'error',
      what: `${found.name} gives its messages to somebody else (push, BigQuery, Cloud Storage or Bigtable)`,
      remedy: 'name a subscription of its own that is pulled',
    });
  if ((found.filter ?? '') !== '')
    findings.push({
      level: 'warning',
      what: `${found.name} has a filter: Pub/Sub drops what does not pass it`,
      remedy: 'make one without, unless that is meant',
    });
  if (found.messageTransforms?.some(({ disabled }) => disabled !== true) === true)
    findings.push({
      level: 'warning',
      what: `${found.name} has transforms: Pub/Sub changes or drops messages, and the lake never has what was sent`,
      remedy: 'make one without, unless that is meant',
    });
  return findings;
}

/** That nothing of the topic comes to it; undefined: it does. */
export function findForeign({ name, topic: its, detached }: Subscription, topic: string): Trouble | undefined {
  if (its === '_deleted-topic_')
    return {
      level: 'error',
      what: `the topic of ${name} was removed: nothing will come any more`,
      remedy: 'once it is empty, remove the subscription, and run catchment provision',
    };
  if (its !== topic)
    return {
      level: 'error',
      what: `${name} is a subscription of ${its}, and the config names ${topic}`,
      remedy: 'correct one of the two names',
    };
  if (detached === true)
    return {
      level: 'error',
      what: `${name} was detached from ${topic}: what waited there is gone, and nothing will come any more`,
      remedy: 'remove the subscription, and run catchment provision',
    };
  return undefined;
}
