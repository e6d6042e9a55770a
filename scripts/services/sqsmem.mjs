import { goProgram } from './go.mjs';

/** `sqsmem`, our own stand-in for SQS where speed counts. */
export function sqsmem() {
  return goProgram({ folder: 'sqsmem', program: 'sqsmem', needed: 'Go 1.22 or newer' });
}
