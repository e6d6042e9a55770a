import { defineSearchAttributeKey } from '@temporalio/common';
import { upsertSearchAttributes, workflowInfo } from '@temporalio/workflow';

import { searchAttribute } from '../names.js';

/** Of JSON: a server takes 2 KB for one attribute, and refuses a longer one as it refuses an unknown one. */
const mostCharacters = 1_500;

const key = defineSearchAttributeKey(searchAttribute.tables, 'KEYWORD_LIST');

/**
 * Lets people filter by the tables that the workflow concerns. Only where it was started with that attribute: a server
 * that refuses it would refuse every task of the workflow from here on.
 */
export function nameTables(tables: readonly string[]): void {
  if (workflowInfo().typedSearchAttributes.get(key) === undefined) return;
  let characters = 0;
  const named = tables.filter((table) => (characters += table.length + 3) <= mostCharacters);
  upsertSearchAttributes([{ key, value: named }]);
}
