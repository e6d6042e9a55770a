/**
 * A text from outside on one line of a terminal: runs of characters that would drive the terminal, end the line or turn
 * the direction of what follows become one space.
 */
export function harmless(text: string): string {
  return text.replace(/[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}]+/gu, ' ');
}

/** The same, cut at so many characters, the last of which says so. */
export function harmlessBeginning(text: string, longest: number): string {
  // Not all of a text of megabytes for the first few characters of it.
  const line = harmless(text.slice(0, 16 * longest));
  return line.length > longest || text.length > 16 * longest
    ? `${line.slice(0, longest - 1).replace(/[\uD800-\uDBFF]$/, '')}…`
    : line;
}
