import { X509Certificate } from 'node:crypto';
import { connect, getCACertificates, type TLSSocket } from 'node:tls';
import { LxdError } from '@lxd-ts/core';

let trusted: string[] | undefined;
/** Those of Node and of this machine (`SSL_CERT_FILE` and `SSL_CERT_DIR` say where else to look). Read when first needed: it takes 30 ms. */
export const authorities = (): string[] =>
  (trusted ??= [...new Set([...getCACertificates('default'), ...getCACertificates('system')])]);

const connectTimeoutMs = 10_000;

/**
 * Connected, and certainly to that server: before anything is said.
 * @param certificate PEM that it must show; absent: one that the machine trusts
 * @throws LxdError `unavailable`
 */
export function dialTls(url: URL, certificate: string | undefined, signal: AbortSignal): Promise<TLSSocket> {
  const pinned = certificate ? new X509Certificate(certificate).fingerprint256 : undefined;
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1');
  return new Promise((resolve, reject) => {
    const fail = (why: string) => {
      socket.destroy();
      reject(new LxdError('unavailable', `Cannot connect to ${url.host}: ${why}`));
    };
    const socket = connect({
      host,
      port: Number(url.port || 443),
      minVersion: 'TLSv1.2',
      ALPNProtocols: ['http/1.1'],
      timeout: connectTimeoutMs,
      rejectUnauthorized: pinned === undefined,
      ...(pinned === undefined ? { ca: authorities() } : {}),
      ...(/^[\d.]+$|:/.test(host) ? {} : { servername: host }),
    });
    const onAbort = () => fail('it was given up');
    signal.addEventListener('abort', onAbort, { once: true });
    socket.once('error', (error: Error) => fail(error.message));
    const onTimeout = () => fail('no answer');
    socket.once('timeout', onTimeout);
    socket.once('secureConnect', () => {
      signal.removeEventListener('abort', onAbort);
      socket.off('timeout', onTimeout);
      if (pinned !== undefined && socket.getPeerX509Certificate()?.fingerprint256 !== pinned) {
        fail('it has another certificate than the one given');
        return;
      }
      socket.setTimeout(0);
      resolve(socket);
    });
  });
}
