/**
 * A parsed JSON value to look into without a cast, since any step may be missing: `event.json?.type === 'screen_view'`,
 * `event.json?.commits?.[0]?.id`. What the value must be is the contract's business (`event` of a table), not the type's.
 */
export type Json = (Scalar & JsonMembers) | JsonMembers | null | undefined;

type Scalar = string | number | bigint | boolean;

/** Of an object its keys, of an array its indices; a scalar has none, and reading one gives undefined there too. */
interface JsonMembers {
  readonly [key: string]: Json;
}
