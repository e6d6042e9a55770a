import { goProgram } from './go.mjs';

/** `pubsub-standin`, our own stand-in for Pub/Sub. */
export function pubsub() {
  return goProgram({ folder: 'pubsub', program: 'pubsub-standin', needed: 'Go 1.26 or newer' });
}
