import { Commands } from '../../src/stuck/commands.js';

const failing = { workflowId: 'backfill/app/visits', state: 'failing', activity: { id: '7', type: 'load' } } as const;

test('a command names the server only where the CLI would not find it by itself', () => {
  const command = (address: string, namespace: string): string => new Commands({ address, namespace }).of(failing);
  const reset = 'temporal activity reset --workflow-id backfill/app/visits --activity-id 7';
  expect(command('127.0.0.1:7233', 'default')).toBe(reset);
  expect(command('localhost:7233', 'default')).toBe(reset);
  expect(command('127.0.0.1:7234', 'default')).toBe(`${reset} --address 127.0.0.1:7234`);
  expect(command('app.tmprl.cloud:7233', 'our app')).toBe(
    `${reset} --address app.tmprl.cloud:7233 --namespace 'our app'`,
  );
});

test('what no worker takes is for a process to take: a batch’s own poller, or any worker', () => {
  const commands = new Commands({ address: 'localhost:7233', namespace: 'default' });
  const waiting = { ...failing, state: 'no worker' } as const;
  expect(commands.of({ ...waiting, activity: { id: '1', type: 'persist' } })).toBe('npx catchment poll');
  expect(commands.of(waiting)).toBe('npx catchment worker');
  expect(commands.of({ ...waiting, activity: undefined })).toBe('npx catchment worker');
});
