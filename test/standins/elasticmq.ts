import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { answersAsSqs, installedAt, StandIn } from './process.js';

/** Half the time to start, and less memory. */
export const javaFlags = ['-Xmx512m', '-XX:TieredStopAtLevel=1', '-XX:+UseSerialGC'] as const;

/** ElasticMQ, the most faithful stand-in for SQS, on a store that outlasts `kill -9`. It takes 8 to 16 seconds to start. */
export async function startElasticMq(folder: string): Promise<StandIn> {
  const jars = installedAt('CATCHMENT_ELASTICMQ_JARS', 'elasticmq');
  return await StandIn.start(
    {
      name: 'elasticmq',
      ports: 1,
      command: (where, [port]) => {
        const file = join(where, 'elasticmq.conf');
        const settings = Object.entries(elasticMqConfig(where, port!)).map((pair) =>
          pair.map((each) => JSON.stringify(each)).join(': '),
        );
        writeFileSync(file, ['include classpath("application.conf")', ...settings, ''].join('\n'));
        return ['java', ...javaFlags, `-Dconfig.file=${file}`, '-cp', join(jars, '*'), 'org.elasticmq.server.Main'];
      },
      answers: ([port]) => answersAsSqs(port!),
    },
    folder,
  );
}

/** docker-compose.yml has the same, of its own folder and address. */
export function elasticMqConfig(folder: string, port: number) {
  return {
    'node-address': { protocol: 'http', host: '127.0.0.1', port, 'context-path': '' },
    'generate-node-address': false,
    'rest-sqs': { enabled: true, 'bind-hostname': '127.0.0.1', 'bind-port': port, 'sqs-limits': 'strict' },
    'rest-stats': { enabled: false },
    'queues-storage': { enabled: false },
    'messages-storage': {
      enabled: true,
      'driver-class': 'org.h2.Driver',
      // Else H2 answers before it has written, and a kill takes what was acknowledged.
      uri: `jdbc:h2:${join(folder, 'messages')};WRITE_DELAY=0`,
      username: 'sa',
      password: '',
      'prune-data-on-init': false,
    },
    queues: {},
    aws: { region: 'us-east-1', accountId: '000000000000' },
  };
}
