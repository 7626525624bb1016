/** PEM texts. */
export interface TlsOptions {
  ca?: string;
  cert?: string;
  key?: string;
  rejectUnauthorized?: boolean;
}

/** Where a server listens: a unix socket, or an HTTPS address with the certificates to use. */
export type Endpoint =
  | { kind: 'unix'; socketPath: string }
  | {
      kind: 'https';
      /** e.g. `https://10.0.0.1:8443` */
      url: string;
      tls: TlsOptions;
    };

export const unixEndpoint = (socketPath: string): Endpoint => ({ kind: 'unix', socketPath });

export const describeEndpoint = (endpoint: Endpoint): string =>
  endpoint.kind === 'unix' ? endpoint.socketPath : endpoint.url;
