import { defineConfig, s3, sqs } from 'catchment';

// The pipeline of docker-compose.yml: the tables of examples/github, on queues and a bucket of the services beside it.
// On AWS the URLs are those of your queues, the bucket needs no endpoint, and all else stays.
const queue = (name: string) => `http://elasticmq:9324/000000000000/${name}`;

export default defineConfig({
  pipeline: 'github',
  sources: { app: sqs({ queueUrl: queue('app'), deadLetterUrl: queue('app-dead') }) },
  secondary: sqs({ queueUrl: queue('loads'), deadLetterUrl: queue('loads-dead') }),
  lake: s3({ bucket: 'lake', endpoint: 'http://seaweedfs:8333' }),
  tables: '../github/tables.ts',
  freshness: '1s',
});
