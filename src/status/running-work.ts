import { runningQuery, workPrefixes } from '../names.js';
import { connectTemporal } from '../temporal.js';

type Temporal = Awaited<ReturnType<typeof connectTemporal>>;

/** Counts a pipeline's workflows in Temporal, over one connection that is made when it is first needed. */
export class RunningWork {
  readonly #query: string;
  readonly #dataDir: string;
  #temporal: Temporal | undefined;

  constructor({ pipeline, dataDir }: { readonly pipeline: string; readonly dataDir: string }) {
    this.#query = runningQuery(workPrefixes(pipeline));
    this.#dataDir = dataDir;
  }

  /** Throws where Temporal does not answer. */
  async count(): Promise<number> {
    this.#temporal ??= await connectTemporal(this.#dataDir);
    return (await this.#temporal.client.workflow.count(this.#query)).count;
  }

  async close(): Promise<void> {
    await this.#temporal?.connection.close();
    this.#temporal = undefined;
  }
}
