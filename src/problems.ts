import { z } from 'zod';

/** A mistake in what the user wrote. */
export interface Problem {
  /** Where, within the definition: `cluster[0]`; empty for the whole of it. */
  readonly path: string;
  /** What is wrong and what to write instead. */
  readonly message: string;
}

/** The issues of a failed parse as problems, their paths beneath `under`. */
export function problemsOf(error: z.ZodError | undefined, ...under: string[]): Problem[] {
  return (error?.issues ?? []).flatMap((issue) => {
    const path = (...more: PropertyKey[]) => z.core.toDotPath([...under, ...issue.path, ...more]);
    if (issue.code !== 'unrecognized_keys') return [{ path: path(), message: issue.message }];
    return issue.keys.map((key) => ({
      path: path(key),
      message: 'there is no such setting; remove it or mend its name',
    }));
  });
}
