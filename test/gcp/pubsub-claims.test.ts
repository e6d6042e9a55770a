import { ConfigError } from '../../src/errors.js';
import { claim } from '../../src/providers/gcp/pubsub-claims.js';

test('a topic or subscription that two parts name, once with its project and once without, is refused to the second', () => {
  const events = ['projects/p/topics/events', 'projects/p/subscriptions/events'];
  claim('app: source-app', events);
  claim('app: source-app', events); // opened once more
  claim('app: secondary', ['projects/p/topics/references', 'projects/other/topics/events']);
  for (const name of events) {
    expect(() => claim('app: secondary', [name])).toThrow(ConfigError);
    expect(() => claim('app: secondary', [name])).toThrow(
      `app: secondary names ${name}, which is that of app: source-app`,
    );
  }
});
