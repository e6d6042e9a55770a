import type { Settings } from '../config/settings.js';
import type { Parts } from '../open.js';
import { whatToDo, type ToDo } from './to-do.js';

/** How much a backfill has to do now. `onLooked`: after each stretch, with the objects looked at so far. */
export async function countToDo(
  parts: Pick<Parts, 'lake' | 'warehouse'>,
  { sources }: Pick<Settings, 'sources'>,
  toDo: ToDo,
  onLooked: (objects: number) => void,
): Promise<{ objects: number; events: number }> {
  let [objects, events, looked] = [0, 0, 0];
  for await (const stretch of whatToDo(parts, Object.keys(sources), toDo)) {
    objects += stretch.objects.length;
    events += stretch.objects.reduce((sum, object) => sum + object.events, 0);
    looked += stretch.looked;
    onLooked(looked);
  }
  return { objects, events };
}
