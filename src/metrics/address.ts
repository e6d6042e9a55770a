import { isIP } from 'node:net';

import { ConfigError } from '../errors.js';

/** Where metrics are served. */
export interface MetricsAddress {
  /** An IP address. */
  readonly host: string;
  /** 0: a free one. */
  readonly port: number;
}

/** Reads `PORT` or `HOST:PORT`; every address of the machine by default, since who scrapes is mostly elsewhere. Throws `ConfigError`. */
export function parseMetricsAddress(text: string): MetricsAddress {
  const [, host = '0.0.0.0', digits = ''] = /^(?:\[?([^[\]]+)\]?:)?(\d{1,5})$/.exec(text) ?? [];
  const port = Number(digits);
  if (digits === '' || port > 65_535 || isIP(host) === 0)
    throw new ConfigError(
      '--metrics-port: write a port such as 9464, 0 for a free one, or 127.0.0.1:9464 for one address of this machine alone',
    );
  return { host, port };
}

/** As a URL has it. */
export function bindAddress({ host, port }: MetricsAddress): string {
  return isIP(host) === 6 ? `[${host}]:${port}` : `${host}:${port}`;
}
