/** Why a value, a row or an event is not taken, in words that hold no value of the event. Returned, not thrown: it is no fault of ours. */
export class Refusal {
  readonly reason: string;

  constructor(reason: string) {
    this.reason = reason;
  }
}

/** The JSON that stands for a value in a load file, or why the column cannot hold it. */
export type ValueWriter = (value: unknown) => string | Refusal;
