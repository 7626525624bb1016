import { request, type RequestOptions } from 'node:https';
import type { IncomingMessage } from 'node:http';
import { getCACertificates } from 'node:tls';
import { loadTls } from '@lxd-ts/client';
import { LxdError, type OciTransport } from '@lxd-ts/core';

const timeoutMs = 30_000;
const minVersion = 'TLSv1.2';

/** @param certificate that the registry itself must show; others to which it leads are those that the machine trusts */
export function registryTransport(server: string, certificate: string | undefined): OciTransport {
  const own = new URL(server).host;
  return async (url, { method, headers }, signal) => {
    const pinned = url.host === own ? certificate : undefined;
    const tls: RequestOptions =
      pinned === undefined
        ? { ca: [...getCACertificates('default'), ...getCACertificates('system')], minVersion }
        : { ...(await loadTls()).tlsConnection({ pinned }), minVersion };
    return new Promise<IncomingMessage>((resolve, reject) => {
      const fail = (error: Error) =>
        reject(new LxdError('unavailable', `Cannot reach ${url.host}: ${error.message}`, { cause: error }));
      const options = {
        ...tls,
        method,
        headers: { 'User-Agent': 'lxd-ts', ...headers },
        signal,
        timeout: timeoutMs,
      };
      const sent = request(url, { ...options, agent: false });
      sent.once('response', resolve).once('error', fail);
      sent.once('timeout', () => sent.destroy(new Error('no answer')));
      sent.end();
    });
  };
}
