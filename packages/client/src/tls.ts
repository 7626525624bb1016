import { createHash, X509Certificate } from 'node:crypto';
import type { ConnectionOptions, PeerCertificate } from 'node:tls';
import { LxdError } from '@lxd-ts/core';
import { connectionError } from './connection-error.ts';
import type { TlsOptions } from './endpoint.ts';

/** SHA-256 of a certificate, in hexadecimal, as LXD writes fingerprints. */
export const certificateFingerprint = (pem: string): string =>
  createHash('sha256').update(new X509Certificate(pem).raw).digest('hex');

const isAddress = (host: string): boolean => host.includes(':') || /^[\d.]+$/.test(host);

/**
 * What node:tls and node:https are told. A pinned certificate is the only root and must itself be what the server
 * shows: nothing that it may have signed is accepted.
 */
export function tlsConnection({ pinned, authority, cert, key }: TlsOptions): ConnectionOptions {
  const own = cert && key ? { cert, key } : {};
  const common: ConnectionOptions = { minVersion: 'TLSv1.3', ...own };
  if (pinned === undefined) return authority === undefined ? common : { ...common, ca: authority };
  const expected = certificateFingerprint(pinned);
  return {
    ...common,
    ca: pinned,
    // It need not be its own issuer.
    allowPartialTrustChain: true,
    checkServerIdentity: (_host, shown: PeerCertificate) =>
      createHash('sha256').update(shown.raw).digest('hex') === expected
        ? undefined
        : Object.assign(new Error('The server shows another certificate'), {
            code: 'ERR_TLS_CERT_ALTNAME_INVALID',
          }),
  };
}

/** The certificate (PEM) that a server shows, to be looked at by somebody: nothing is sent, nothing is trusted. */
export async function peekCertificate(url: string, signal?: AbortSignal): Promise<string> {
  const { connect } = await import('node:tls');
  const { hostname, port } = new URL(url);
  const host = hostname.replace(/^\[|\]$/g, '');
  const shown = Promise.withResolvers<string>();
  const socket = connect({
    host,
    port: Number(port || 443),
    ...(isAddress(host) ? {} : { servername: host }),
    minVersion: 'TLSv1.3',
    rejectUnauthorized: false,
  });
  const abort = (): void => {
    socket.destroy();
    shown.reject(signal?.reason);
  };
  signal?.addEventListener('abort', abort, { once: true });
  socket.once('secureConnect', () => {
    const certificate = socket.getPeerX509Certificate();
    if (certificate) shown.resolve(certificate.toString());
    else shown.reject(new LxdError('unavailable', `The server at ${url} shows no certificate`));
  });
  socket.once('error', (error) => {
    shown.reject(connectionError(error, { kind: 'https', url, tls: {} }));
  });
  try {
    return await shown.promise;
  } finally {
    signal?.removeEventListener('abort', abort);
    socket.destroy();
  }
}
