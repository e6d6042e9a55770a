/** One line of a stream, without its line feed. */
export interface Line {
  /** Counts from 1. */
  readonly number: number;
  /** Absent where the line is longer than asked for: then its bytes were counted, not kept. */
  readonly bytes?: Uint8Array;
  readonly length: number;
}

const lineFeed = 0x0a;

/**
 * Splits at line feeds and nowhere else: a carriage return stays part of its line, since every byte may be the event's.
 * Yields what each chunk completed, so that a producer that trickles is not held up; a last line needs no line feed. A
 * line of more than `longest` bytes is never held in memory.
 */
export async function* splitLines(chunks: AsyncIterable<Uint8Array>, longest: number): AsyncGenerator<Line[]> {
  let number = 0;
  let kept: Uint8Array[] = [];
  let length = 0;

  const keep = (piece: Uint8Array): void => {
    length += piece.length;
    if (length <= longest) kept.push(piece);
    else kept = [];
  };
  const take = (): Line => {
    const bytes = kept.length === 1 ? kept[0]! : Buffer.concat(kept);
    const line = length <= longest ? { number: ++number, bytes, length } : { number: ++number, length };
    kept = [];
    length = 0;
    return line;
  };

  for await (const chunk of chunks) {
    const lines: Line[] = [];
    let from = 0;
    for (let end = chunk.indexOf(lineFeed); end >= 0; end = chunk.indexOf(lineFeed, from)) {
      keep(chunk.subarray(from, end));
      lines.push(take());
      from = end + 1;
    }
    if (from < chunk.length) keep(chunk.subarray(from));
    if (lines.length > 0) yield lines;
  }
  if (length > 0) yield [take()];
}
