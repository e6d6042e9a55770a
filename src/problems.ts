import { z } from 'zod';

/** A mistake in what the user wrote. */
export interface Problem {
  /** Where, within the definition: `cluster[0]`; empty for the whole of it. */
  readonly path: string;
  /** What is wrong and what to write instead. */
  readonly message: string;
}

/** An object of these settings and no other. */
export function settingsOf<Shape extends z.core.$ZodLooseShape>(
  shape: Shape,
  message: string,
): z.ZodObject<Shape, z.core.$strict> {
  const names = Object.keys(shape).join(', ');
  return z.strictObject(shape, {
    error: (issue) =>
      issue.code === 'unrecognized_keys' ? `there is no such setting; write one of ${names}` : message,
  });
}

/** The issues of a failed parse as problems, their paths beneath `under`. */
export function problemsOf(error: z.ZodError | undefined, ...under: string[]): Problem[] {
  return (error?.issues ?? []).flatMap(({ message, path, ...issue }) => {
    const keys = issue.code === 'unrecognized_keys' ? issue.keys : [];
    const paths = keys.length > 0 ? keys.map((key) => [...path, key]) : [path];
    return paths.map((whole) => ({ path: z.core.toDotPath([...under, ...whole]), message }));
  });
}
