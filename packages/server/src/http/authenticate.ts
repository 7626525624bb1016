import { X509Certificate, createHash } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { TLSSocket } from 'node:tls';
import type { CertificateRecord, Records } from '@lxd-ts/state';
import type { Caller } from './route.ts';

/** Who a member's server asks for, on a connection that it passes on. */
export const callerHeader = 'x-lxd-ts-caller';

/** A certificate that a TLS client has shown, and proven to have the key of. */
export interface Shown {
  /** SHA-256, as LXD writes it. */
  fingerprint: string;
  pem: string;
  /** Whether now is within its dates. */
  valid: boolean;
}

function shownBy(socket: TLSSocket, now: Date): Shown | undefined {
  const raw = socket.getPeerX509Certificate();
  if (!raw) return undefined;
  const certificate = new X509Certificate(raw.raw);
  return {
    fingerprint: createHash('sha256').update(certificate.raw).digest('hex'),
    pem: certificate.toString(),
    valid: now >= new Date(certificate.validFrom) && now <= new Date(certificate.validTo),
  };
}

/** Tells who is at the other end of a connection. */
export class Authenticator {
  readonly #records: Records;
  readonly #now: () => Date;
  /** What does not change during a connection. */
  readonly #shown = new WeakMap<TLSSocket, { certificate: Shown | undefined }>();
  /** From which member. */
  readonly #forwarded = new WeakMap<Duplex, string>();

  constructor(records: Records, now: () => Date) {
    this.#records = records;
    this.#now = now;
  }

  /** A connection that another member passes on: it says who asks. */
  trustForwarded(connection: Duplex, member: string): void {
    this.#forwarded.set(connection, member);
  }

  callerOf(request: IncomingMessage): Caller {
    const { socket } = request;
    if (socket instanceof TLSSocket) return this.#overTls(socket);
    const said = request.headers[callerHeader];
    const via = this.#forwarded.get(socket);
    if (via !== undefined && typeof said === 'string') return { via, ...(JSON.parse(said) as Caller) };
    // The unix socket is only for whom its mode lets in.
    const caller: Caller = { protocol: 'unix', username: 'root', address: '@', trusted: true };
    return via === undefined ? caller : { ...caller, via };
  }

  #overTls(socket: TLSSocket): Caller {
    let known = this.#shown.get(socket);
    if (!known) {
      known = { certificate: shownBy(socket, this.#now()) };
      this.#shown.set(socket, known);
    }
    const { certificate } = known;
    const address = `${socket.remoteAddress ?? ''}:${socket.remotePort ?? 0}`;
    const stranger: Caller = { protocol: 'tls', username: '', address, trusted: false };
    if (!certificate) return stranger;
    // Asked each time: a certificate that is removed is good for nothing from then on.
    const record = this.#records.get('certificates', certificate.fingerprint)?.value;
    if (record?.type !== 'client' || !certificate.valid) return { ...stranger, certificate };
    return {
      protocol: 'tls',
      username: certificate.fingerprint,
      address,
      trusted: true,
      certificate,
      ...restriction(record),
    };
  }
}

const restriction = ({ restricted, projects }: CertificateRecord): Pick<Caller, 'projects'> =>
  restricted ? { projects } : {};
