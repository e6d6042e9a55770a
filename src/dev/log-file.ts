import { appendFileSync, mkdirSync, renameSync, statSync } from 'node:fs';
import { dirname } from 'node:path';

const largestBytes = 5_000_000;

/** A log file that is kept bounded: beyond 5 MB it becomes FILE.1, and the one before that goes. */
export function logFile(file: string): (line: string) => void {
  mkdirSync(dirname(file), { recursive: true });
  rotate(file);
  let written = 0;
  return (line) => {
    try {
      appendFileSync(file, `${line}\n`);
      written += line.length;
      if (written < largestBytes) return;
      written = 0;
      rotate(file);
    } catch {
      // A full disk, or a folder that was removed, must not end what is supervised.
    }
  };
}

function rotate(file: string): void {
  if ((statSync(file, { throwIfNoEntry: false })?.size ?? 0) > largestBytes) renameSync(file, `${file}.1`);
}
