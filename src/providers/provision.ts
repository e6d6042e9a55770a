/** One thing that `provision` did, or with 'plan' would do: "make the bucket events in eu-west-1". */
export interface Provisioned {
  readonly what: string;
}
