/** A queue's URL taken apart: where it is reached, and what it is. */
export interface QueueUrl {
  readonly url: string;
  /** Equal for each URL of the same queue, as far as they name region, account and queue. */
  readonly address: string;
  /** Of the service: `https://sqs.eu-west-1.amazonaws.com`, or of another that speaks its protocol. */
  readonly endpoint: string;
  /** Named by an address of AWS; else the SDK's default chain decides. */
  readonly region?: string;
  readonly name: string;
  readonly fifo: boolean;
}

/** `sqs.REGION.…`, also behind a VPC endpoint or FIPS, and the older `REGION.queue.…`. */
const regionInHost = /(?:^|\.)sqs(?:-fips)?\.([a-z0-9-]+)\.|^([a-z0-9-]+)\.queue\.amazonaws\./;

/** Undefined where it is no URL of a queue. */
export function parseQueueUrl(url: unknown): QueueUrl | undefined {
  if (typeof url !== 'string' || !URL.canParse(url)) return undefined;
  const { protocol, pathname, hostname, href, origin, username, password, search, hash } = new URL(url);
  const [, name] = /\/[^/]+\/([A-Za-z0-9_-]{1,80}(?:\.fifo)?)$/.exec(pathname) ?? [];
  if (name === undefined || !/^https?:$/.test(protocol)) return undefined;
  // Errors and logs name the URL.
  if ([username, password, search, hash].some((part) => part !== '')) return undefined;
  const [, region, older] = regionInHost.exec(hostname) ?? [];
  return {
    url: href,
    address: `${region ?? older ?? origin}${pathname}`,
    endpoint: origin,
    ...((region ?? older) !== undefined && { region: (region ?? older)! }),
    name,
    fifo: name.endsWith('.fifo'),
  };
}
