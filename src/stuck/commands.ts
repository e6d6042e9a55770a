import { shellWord } from '../shell.js';
import type { Temporal } from '../temporal.js';
import type { Stuck } from './report.js';

/** The commands that make what is stuck go on, for the server that it is on. */
export class Commands {
  readonly #where: string;

  constructor({ address, namespace }: Pick<Temporal, 'address' | 'namespace'>) {
    const where = ['127.0.0.1:7233', 'localhost:7233'].includes(address) ? [] : ['--address', address];
    if (namespace !== 'default') where.push('--namespace', namespace);
    this.#where = where.map((word) => ` ${shellWord(word)}`).join('');
  }

  of({ workflowId, state, activity }: Pick<Stuck, 'workflowId' | 'state' | 'activity'>): string {
    // A batch is with its own poller alone; the messages of one that is gone come again to any.
    if (state === 'no worker') return `npx catchment ${activity?.type === 'persist' ? 'poll' : 'worker'}`;
    const workflow = `--workflow-id ${shellWord(workflowId)}`;
    // From its beginning: all that it does may be done twice, and the code that fails now may know nothing of the old steps.
    if (activity === undefined)
      return `temporal workflow reset ${workflow} --type FirstWorkflowTask --reason stuck${this.#where}`;
    const action = state === 'paused' ? 'unpause' : 'reset';
    return `temporal activity ${action} ${workflow} --activity-id ${shellWord(activity.id)}${this.#where}`;
  }

  /** For activities that fail in many workflows of one kind: all that is tried again in those. */
  ofAll(workflowIdPrefix: string): string {
    const query = `ExecutionStatus = "Running" AND WorkflowId STARTS_WITH "${workflowIdPrefix}"`;
    return `temporal activity reset --query ${shellWord(query)}${this.#where}`;
  }
}
