import type { Server } from 'node:http';
import { createServer, type Server as HttpsServer } from 'node:https';
import { openMemberPort, type Accept, type MemberPort } from '@lxd-ts/rpc';
import { upgrades } from '@lxd-ts/server';
import type { Certificate } from './membership.ts';

/** REST over TLS 1.3: on the port of a cluster's member, and on an address of its own where one is configured. */
export interface RestListener extends AsyncDisposable {
  /** For connections that somebody else has taken. */
  accept: Accept;
  useCertificate(certificate: Certificate): void;
  /** Where it listens by itself; '': nowhere. */
  address(): string;
  /** From now on there; '': nowhere. @throws LxdError when it cannot be had; it is where it was then */
  listen(address: string): Promise<void>;
}

const minVersion = 'TLSv1.3' as const;

/**
 * @param app answers; undefined: not yet
 * @param served the address that `accept` is called for, not to be listened on again
 */
export function openRestListener(
  certificate: Certificate,
  app: () => Server,
  served: string | undefined,
): RestListener {
  const https: HttpsServer = createServer(
    {
      cert: certificate.certificate,
      key: certificate.key,
      minVersion,
      // Anybody may show any certificate; whom to trust is decided with the request.
      requestCert: true,
      rejectUnauthorized: false,
      keepAliveTimeout: 60_000,
      requestTimeout: 0, // an upload takes as long as it takes
      shouldUpgradeCallback: upgrades,
    },
    (request, response) => void app().emit('request', request, response),
  );
  https.on('upgrade', (...upgrade) => void app().emit('upgrade', ...upgrade));
  https.on('tlsClientError', (_error, socket) => socket.destroy());
  const accept: Accept = (socket) => void https.emit('connection', socket);

  let port: MemberPort | undefined;
  let current = '';
  const open = async (address: string): Promise<void> => {
    if (address !== '' && address !== served) {
      port = await openMemberPort(address);
      port.route('', accept);
    }
    current = address;
  };
  const close = async (): Promise<void> => {
    await port?.[Symbol.asyncDispose]();
    port = undefined;
  };
  return {
    accept,
    useCertificate: ({ certificate: cert, key }) => https.setSecureContext({ cert, key, minVersion }),
    address: () => current,
    listen: async (address) => {
      const before = current;
      // First free: the new one may hold the old one's port.
      await close();
      try {
        await open(address);
      } catch (error) {
        await open(before).catch(() => undefined);
        throw error;
      }
    },
    [Symbol.asyncDispose]: async () => {
      await close();
      https.closeAllConnections();
      https.close();
    },
  };
}
