import type { temporal } from '@temporalio/proto';

import { ConfigError, describeError, Unavailable } from '../errors.js';
import type { Temporal } from '../temporal.js';

type Service = Temporal['connection']['workflowService'];
type Execution = temporal.api.workflow.v1.IWorkflowExecutionInfo;
type Description = temporal.api.workflowservice.v1.IDescribeWorkflowExecutionResponse;
type HistoryEvent = temporal.api.history.v1.IHistoryEvent;

export interface Run {
  readonly workflowId: string;
  readonly runId: string;
}

/** A server that does not answer within this does not answer. */
const answerMs = 10_000;
/** Of a history, at once: an event may hold 64 KB. */
const eventsAtOnce = 50;
/** A status of gRPC. */
const notFound = 5;

/** Reads a namespace, and waits for no answer for long. Throws `Unavailable`, and `ConfigError` where there is no such namespace. */
export class TemporalReader {
  readonly #temporal: Pick<Temporal, 'connection' | 'address' | 'namespace'>;

  constructor(temporal: Pick<Temporal, 'connection' | 'address' | 'namespace'>) {
    this.#temporal = temporal;
  }

  /** Newest first, page by page. */
  async *list(query: string): AsyncGenerator<readonly Execution[]> {
    const { address, namespace } = this.#temporal;
    let token: Uint8Array | undefined;
    do {
      const page = await this.#ask((service) =>
        service.listWorkflowExecutions({ namespace, query, ...(token && { nextPageToken: token }) }),
      );
      if (page === undefined) {
        throw new ConfigError(
          `Temporal at ${address} has no namespace ${namespace}; make it, or set TEMPORAL_NAMESPACE`,
        );
      }
      yield page.executions;
      token = more(page);
    } while (token !== undefined);
  }

  /** undefined where there is no such run any more. */
  async describe(execution: Run): Promise<Description | undefined> {
    const { namespace } = this.#temporal;
    return this.#ask((service) => service.describeWorkflowExecution({ namespace, execution }));
  }

  /** A run's history, newest first. */
  async *historyBackwards(execution: Run): AsyncGenerator<HistoryEvent> {
    const request = { namespace: this.#temporal.namespace, execution, maximumPageSize: eventsAtOnce };
    let token: Uint8Array | undefined;
    do {
      const page = await this.#ask((service) =>
        service.getWorkflowExecutionHistoryReverse({ ...request, ...(token && { nextPageToken: token }) }),
      );
      yield* page?.history?.events ?? [];
      token = page && more(page);
    } while (token !== undefined);
  }

  /** undefined where the server answers that what is asked for is not there. */
  async #ask<Answer>(question: (service: Service) => Promise<Answer>): Promise<Answer | undefined> {
    const { connection, address } = this.#temporal;
    try {
      return await connection.withDeadline(Date.now() + answerMs, () => question(connection.workflowService));
    } catch (error) {
      if ((error as { code?: unknown }).code === notFound) return undefined;
      throw new Unavailable(`Temporal at ${address} does not answer as it should (${describeError(error)})`);
    }
  }
}

function more(page: { readonly nextPageToken?: Uint8Array | null }): Uint8Array | undefined {
  return page.nextPageToken != null && page.nextPageToken.length > 0 ? page.nextPageToken : undefined;
}
