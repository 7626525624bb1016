import { createHash, randomBytes } from 'node:crypto';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { connect, createServer, type TLSSocket } from 'node:tls';
import { LxdError } from '@lxd-ts/core';
import { internalSuffix, splitAddress, type Accept } from './member-port.ts';
import type { Identity } from './pki.ts';
import { rawReading, readRaw, type RawReading } from './raw-reading.ts';

/** The name that a TLS client asks for to reach a member's bulk port. */
export const bulkName = `bulk${internalSuffix}`;

/** Where another member finds what was offered to it. Good once. */
export interface BulkTicket {
  /** `HOST:PORT`; empty: the member it was made on. */
  address: string;
  token: string;
}

/**
 * Data from member to member, past the control plane: images, volumes, instances. Each direction of a stream has its own
 * end; mind that `for await` destroys both when it is done.
 */
export interface Bulk {
  /** `taken` is the other end, once somebody has shown the ticket. Aborting takes the offer back. */
  offer(options: { signal: AbortSignal }): { ticket: BulkTicket; taken: Promise<Duplex> };
  /** @throws LxdError `unavailable`, `forbidden` */
  take(
    ticket: BulkTicket,
    options: {
      signal: AbortSignal;
      /** For much that comes: it is read without garbage, and only by a `messageChannel`. */
      raw?: boolean;
    },
  ): Promise<Duplex>;
}

export interface BulkPort extends Bulk {
  /** For connections that ask for `bulkName`. */
  accept: Accept;
}

const tokenBytes = 32;
const connectTimeoutMs = 10_000;

/** Tokens are looked up by their hash, so that the time of a search tells nothing of them. */
const hashOf = (token: string): string => createHash('sha256').update(token).digest('base64');

/** The first line of a connection: hexadecimal digits and a newline, nothing after it before we answer. */
function readToken(socket: TLSSocket): Promise<string> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => socket.destroy(new Error('no token')), connectTimeoutMs);
    let text = '';
    const look = (): void => {
      text += ((socket.read() as Buffer | null) ?? '').toString('latin1');
      if (!text.includes('\n') && text.length <= 2 * tokenBytes) return;
      clearTimeout(timer);
      socket.off('readable', look);
      resolve(text.slice(0, text.indexOf('\n')));
    };
    socket.on('readable', look).once('error', reject).once('close', reject);
  });
}

/**
 * Over mutual TLS: both ends are members of the cluster whose authority `identity` names.
 * @param address that other members reach this one at
 */
export function openBulkPort(address: string, identity: Identity): BulkPort {
  const offers = new Map<string, (stream: Duplex) => void>();
  const tls = { ca: identity.authority, cert: identity.certificate, key: identity.key };
  const server = createServer(
    { ...tls, requestCert: true, rejectUnauthorized: true, minVersion: 'TLSv1.3' },
    (socket) => {
      socket.on('error', () => undefined);
      readToken(socket).then(
        (token) => {
          const hand = offers.get(hashOf(token));
          if (!hand) {
            socket.end('-');
            return;
          }
          offers.delete(hashOf(token));
          socket.write('+');
          hand(socket);
        },
        () => socket.destroy(),
      );
    },
  );
  server.on('tlsClientError', (_error, socket) => socket.destroy());

  const dial = (to: string, signal: AbortSignal, raw: RawReading | undefined): Promise<TLSSocket> =>
    new Promise((resolve, reject) => {
      const { host, port } = splitAddress(to);
      const fail = (error: Error) =>
        reject(
          new LxdError('unavailable', `Cannot reach the member at ${to}: ${error.message}`, { cause: error }),
        );
      const socket = connect({
        host,
        port,
        ...tls,
        servername: bulkName,
        minVersion: 'TLSv1.3',
        timeout: connectTimeoutMs,
        ...(raw ? { onread: raw.onread } : {}),
        // Members are told apart by the authority's word, not by their addresses.
        checkServerIdentity: () => undefined,
      });
      const onAbort = () => socket.destroy(signal.reason as Error);
      signal.addEventListener('abort', onAbort, { once: true });
      socket.once('close', () => signal.removeEventListener('abort', onAbort));
      socket.once('timeout', () => socket.destroy(new Error('no answer')));
      socket.once('error', fail);
      socket.once('secureConnect', () => {
        socket.setTimeout(0);
        socket.off('error', fail).on('error', () => undefined);
        resolve(socket);
      });
    });

  return {
    accept: (socket: Socket) => void server.emit('connection', socket),
    offer({ signal }) {
      const token = randomBytes(tokenBytes).toString('hex');
      const taken = Promise.withResolvers<Duplex>();
      taken.promise.catch(() => undefined);
      const onAbort = () => {
        offers.delete(hashOf(token));
        taken.reject(signal.reason as Error);
      };
      if (signal.aborted) onAbort();
      else {
        signal.addEventListener('abort', onAbort, { once: true });
        offers.set(hashOf(token), (stream) => {
          signal.removeEventListener('abort', onAbort);
          taken.resolve(stream);
        });
      }
      return { ticket: { address, token }, taken: taken.promise };
    },
    async take(ticket, { signal, raw }) {
      signal.throwIfAborted();
      const reading = raw ? rawReading() : undefined;
      const socket = await dial(ticket.address || address, signal, reading);
      socket.write(`${ticket.token}\n`);
      const answer = await new Promise<string>((resolve, reject) => {
        const gone = () =>
          reject(
            signal.aborted ? (signal.reason as Error) : new LxdError('unavailable', 'The member went away'),
          );
        const done = (first: string) => {
          socket.off('close', gone);
          resolve(first);
        };
        const look = (): void => {
          const byte = socket.read(1) as Buffer | null;
          if (byte === null) socket.once('readable', look);
          else done(byte.toString('latin1'));
        };
        socket.once('close', gone);
        if (reading) {
          void reading.first().then(done);
          socket.resume();
        } else socket.once('readable', look);
      });
      if (reading) readRaw(socket, reading);
      if (answer === '+') return socket;
      socket.destroy();
      throw new LxdError(
        'forbidden',
        'The transfer is not known to the other member: it is over, or was taken',
      );
    },
  };
}
