import type { Connection } from '@temporalio/client';
import proto from '@temporalio/proto';
import { defineSearchAttributeKey, TypedSearchAttributes } from '@temporalio/common';

import { searchAttribute } from './names.js';

const keys = {
  pipeline: defineSearchAttributeKey(searchAttribute.pipeline, 'KEYWORD'),
  source: defineSearchAttributeKey(searchAttribute.source, 'KEYWORD'),
  tables: defineSearchAttributeKey(searchAttribute.tables, 'KEYWORD_LIST'),
};

export interface Attributed {
  readonly pipeline: string;
  readonly source?: string;
  readonly tables?: readonly string[];
}

function typed({ pipeline, source, tables }: Attributed): TypedSearchAttributes {
  return new TypedSearchAttributes([
    { key: keys.pipeline, value: pipeline },
    ...(source === undefined ? [] : [{ key: keys.source, value: source }]),
    ...(tables === undefined ? [] : [{ key: keys.tables, value: [...tables] }]),
  ]);
}

/**
 * A namespace without our search attributes, or where one has another type, refuses a start that carries them; that must
 * never stop an event. Not for a schedule: one that carries attributes stops for good once the namespace loses them.
 */
export async function startWithAttributes<Result>(
  attributed: Attributed,
  start: (attributes: TypedSearchAttributes | undefined) => Promise<Result>,
): Promise<Result> {
  try {
    return await start(typed(attributed));
  } catch (error) {
    if (!isAttributeRefused(error)) throw error;
    return start(undefined);
  }
}

/** The gRPC status INVALID_ARGUMENT, wherever the client wrapped it. */
function isAttributeRefused(error: unknown): boolean {
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    if ((cause as { code?: unknown }).code === 3 && /search attribute/i.test(cause.message)) return true;
  }
  return false;
}

/**
 * Asks the server to know our search attributes. Never rejects, and need not be waited for: a server that refuses costs only
 * the filters in its UI.
 */
export async function registerSearchAttributes(
  connection: Pick<Connection, 'operatorService'>,
  namespace: string,
): Promise<void> {
  const { INDEXED_VALUE_TYPE_KEYWORD: keyword, INDEXED_VALUE_TYPE_KEYWORD_LIST: keywordList } =
    proto.temporal.api.enums.v1.IndexedValueType;
  await connection.operatorService
    .addSearchAttributes({
      namespace,
      searchAttributes: {
        [searchAttribute.pipeline]: keyword,
        [searchAttribute.source]: keyword,
        [searchAttribute.tables]: keywordList,
      },
    })
    .catch(() => undefined);
}
