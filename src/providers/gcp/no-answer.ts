/** No answer came, or not all of it: nobody knows whether the request took effect. */
export class NoAnswer extends Error {
  readonly code: string;

  constructor(code: string) {
    super();
    this.code = code;
  }
}

export function noAnswer(error: unknown): NoAnswer {
  const { code } = (error ?? {}) as { code?: unknown };
  return error instanceof NoAnswer ? error : new NoAnswer(typeof code === 'string' ? code : 'ECONNRESET');
}

/** What credentials are read from is no JSON. */
class Unreadable extends Error {
  readonly code = 'CredentialsUnreadable';
}

/** Who gives out tokens may never answer, and Google's clients would wait for it, for every call to come. */
export async function inTime<Result>(work: Promise<Result>, longestMs: number): Promise<Result> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new NoAnswer('ETIMEDOUT')), longestMs);
  });
  try {
    return await Promise.race([work, late]);
  } catch (error) {
    // Nothing but their file is parsed there; what it says quotes the file.
    throw (error as { name?: unknown } | null)?.name === 'SyntaxError' ? new Unreadable() : error;
  } finally {
    clearTimeout(timer);
  }
}
