import type { WriteStream } from 'node:tty';

/** stderr as `dev` uses it: lines that stay, and below them, on a terminal, one that is drawn over. */
export interface Screen {
  /** Whether `live` is drawn over; else each call stays as a line. An empty one takes it away. */
  readonly terminal: boolean;
  readonly say: (line: string) => void;
  readonly live: (line: string) => void;
}

const clear = '\r\u001b[K';

export function screen(out: WriteStream): Screen {
  out.on('error', () => undefined); // the terminal was closed; what runs is drained all the same
  if (!out.isTTY) {
    const say = (line: string): void => void out.write(`${line}\n`);
    return { terminal: false, say, live: (line) => line !== '' && say(line) };
  }
  let shown = '';
  return {
    terminal: true,
    say(line) {
      out.write(`${clear}${line}\n${shown}`);
    },
    live(line) {
      shown = line.slice(0, out.columns - 1); // a wrapped line could not be drawn over
      out.write(clear + shown);
    },
  };
}
