/** How a server proves who it is, and how we do. PEM texts. */
export interface TlsOptions {
  /** The one certificate that is accepted, whatever name it bears. Without it the system's authorities decide. */
  pinned?: string | undefined;
  /** An authority to trust instead of the system's, where servers are certified by one. */
  authority?: string | undefined;
  /** Our own certificate and key. */
  cert?: string | undefined;
  key?: string | undefined;
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
