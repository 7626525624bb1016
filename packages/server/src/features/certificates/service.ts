import { X509Certificate } from 'node:crypto';
import { LxdError, toLxdError } from '@lxd-ts/core';
import type { OperationView } from '@lxd-ts/operations';
import type { CertificateRecord, Versioned } from '@lxd-ts/state';
import type { Caller } from '../../http/route.ts';
import type { Services } from '../../services.ts';
import { GuessLimit, isPassword } from './password.ts';
import { forgetTokens, untilUsed } from '../shared/token-life.ts';
import { createTrustToken, redeemTrustToken, secretOf } from './trust-tokens.ts';

const recordTimeoutMs = 30_000;

export interface CertificatesPost {
  name?: string;
  type?: string;
  restricted?: boolean;
  projects?: string[] | null;
  certificate?: string;
  password?: string;
  token?: boolean;
}

export interface CertificatePut {
  name?: string;
  type?: string;
  restricted?: boolean;
  projects?: string[] | null;
  certificate?: string;
}

export interface CertificatesOptions {
  /** `HOST:PORT`s that clients reach this server at. */
  addresses(): string[];
  /** SHA-256 of the certificate that clients are shown. */
  fingerprint(): string;
}

const invalid = (message: string): LxdError => new LxdError('invalid', message);
const refused = (): LxdError => new LxdError('forbidden', 'not authorized');

export const certificateUrl = (fingerprint: string): string => `/1.0/certificates/${fingerprint}`;

interface Parsed {
  fingerprint: string;
  pem: string;
}

/** Base64 of DER, as LXD's clients send it, or PEM. @throws LxdError `invalid` */
function parse(text: string): Parsed {
  const pem = text.includes('-----BEGIN');
  if (!pem && !/^[A-Za-z0-9+/]+={0,2}$/.test(text.trim())) throw invalid('"certificate" is not base64');
  try {
    const certificate = new X509Certificate(pem ? text : Buffer.from(text, 'base64'));
    const fingerprint = certificate.fingerprint256.replaceAll(':', '').toLowerCase();
    return { fingerprint, pem: certificate.toString() };
  } catch (error) {
    throw new LxdError('invalid', '"certificate" is no X.509 certificate', { cause: error });
  }
}

export function certificateView(record: CertificateRecord) {
  const { name, type, restricted, projects, certificate, fingerprint } = record;
  return { name, type, restricted, projects, certificate, fingerprint };
}

/** What is compared before a change. */
export const certificateTag = ({ fingerprint, certificate, name, type }: CertificateRecord) => [
  fingerprint,
  certificate,
  name,
  type,
];

/** The trust store: who may use the API over the network. */
export function certificatesService(services: Services, options: CertificatesOptions) {
  const { records, operations, events, clock } = services;
  /** Ids of the tokens that operations of this server wait for. */
  const live = new Set<string>();
  const limit = new GuessLimit(() => clock.now().getTime());

  const lifecycle = (action: string, fingerprint: string, { username, protocol }: Caller) =>
    events.lifecycle({
      action: `certificate-${action}`,
      source: certificateUrl(fingerprint),
      project: 'default',
      requestor: { username, protocol },
    });

  /** By a prefix that only one has. @throws LxdError `not-found`, `invalid` */
  function find(prefix: string): Versioned<CertificateRecord> {
    const exact = records.get('certificates', prefix);
    if (exact) return exact;
    const found = records.list('certificates').filter(({ value }) => value.fingerprint.startsWith(prefix));
    const [only] = found;
    if (found.length > 1) throw invalid('Partial certificate fingerprint matches more than one certificate');
    if (!only) throw new LxdError('not-found', 'Certificate not found');
    return only;
  }

  function checkProjects(projects: readonly string[]): string[] {
    const unknown = projects.find((project) => project !== 'default');
    if (unknown !== undefined) throw new LxdError('not-found', `Project "${unknown}" not found`);
    return [...projects];
  }

  /** How a caller who is not trusted becomes so. @throws LxdError `forbidden` */
  async function admission(
    password: string,
    caller: Caller,
  ): Promise<
    Pick<CertificateRecord, 'restricted' | 'projects'> & {
      name?: string;
      token?: ReturnType<typeof redeemTrustToken>;
    }
  > {
    const address = (caller.address ?? '').replace(/:\d+$/, '');
    const secret = secretOf(password);
    const redeemed = secret === undefined ? undefined : redeemTrustToken(records, secret, clock.now());
    if (redeemed) {
      const { name, restricted, projects } = redeemed.token;
      return { name, restricted, projects, token: redeemed };
    }
    const hash = records.get('serverConfig')?.value.config['core.trust_password'];
    // A token's secret is too long to be guessed; a password may not be.
    if (!hash || !password || secret !== undefined || !limit.allows(address)) throw refused();
    if (await isPassword(password, hash)) return { restricted: false, projects: [] };
    limit.wrong(address);
    throw refused();
  }

  async function add(body: CertificatesPost, caller: Caller): Promise<string> {
    const type = body.type ?? '';
    if (!caller.trusted) {
      if (type === 'metrics') throw refused();
      const { certificate: shown } = caller;
      // Whoever shows no certificate cannot be trusted with one.
      if (!shown || body.certificate) throw refused();
      const { token, name, ...restriction } = await admission(body.password ?? '', caller);
      const record = {
        fingerprint: shown.fingerprint,
        type: 'client' as const,
        name: name || body.name || shown.fingerprint.slice(0, 12),
        certificate: shown.pem,
        ...restriction,
      };
      await store(record, token?.transaction);
      lifecycle('created', shown.fingerprint, { ...caller, username: shown.fingerprint });
      return shown.fingerprint;
    }
    if (type !== 'client' && type !== 'metrics') throw invalid('Invalid certificate type');
    if (!body.certificate && caller.protocol === 'tls') throw invalid('Client is already trusted');
    if (!body.certificate) throw invalid("Can't use TLS data on non-TLS link");
    const { fingerprint, pem } = parse(body.certificate);
    await store({
      fingerprint,
      type,
      name: body.name || fingerprint.slice(0, 12),
      certificate: pem,
      restricted: body.restricted ?? false,
      projects: checkProjects(body.projects ?? []),
    });
    lifecycle('created', fingerprint, caller);
    return fingerprint;
  }

  /** @param transaction uses up what lets it in */
  async function store(record: CertificateRecord, transaction = records.transaction()): Promise<void> {
    const known = new LxdError('conflict', 'Certificate already in trust store');
    if (records.get('certificates', record.fingerprint)) throw known;
    try {
      await transaction
        .create('certificates', [record.fingerprint], record)
        .commit({ signal: AbortSignal.timeout(recordTimeoutMs) });
    } catch (error) {
      if (toLxdError(error).code !== 'precondition-failed') throw error;
      // Somebody was faster: with the same certificate, or with the same token.
      throw records.get('certificates', record.fingerprint) ? known : refused();
    }
  }

  async function token(body: CertificatesPost, caller: Caller): Promise<OperationView> {
    if (!caller.trusted) throw refused();
    if (body.type !== 'client') throw invalid('Tokens can only be issued for client certificates');
    const { config } = records.get('serverConfig')?.value ?? { config: {} };
    const now = clock.now();
    const id = services.uuid();
    // Before it is on record: recovery must not take it for a dead server's.
    live.add(id);
    const made = await createTrustToken(
      records,
      {
        id,
        name: body.name ?? '',
        restricted: body.restricted ?? false,
        projects: checkProjects(body.projects ?? []),
        server: services.server,
      },
      config['core.remote_token_expiry'] ?? '',
      now,
    );
    const { name = '', type = '', restricted = false, projects } = body;
    return operations.start({
      class: 'token',
      description: 'Executing operation',
      project: 'default',
      resources: {},
      metadata: {
        secret: made.secret,
        fingerprint: options.fingerprint(),
        addresses: options.addresses(),
        request: {
          name,
          type,
          restricted,
          projects: projects ?? [],
          certificate: '',
          password: '',
          token: true,
        },
        ...(made.expiresAt ? { expiresAt: made.expiresAt } : {}),
      },
      mayCancel: true,
      run: async ({ signal }) => {
        await untilUsed(records, 'trustTokens', made, () => clock.now(), signal).finally(() =>
          live.delete(made.id),
        );
      },
    });
  }

  return {
    find,
    add,
    token,

    /** Tokens of these servers that nobody shows any more are good no more. */
    recover: (servers: readonly string[], { signal }: { signal: AbortSignal }): Promise<void> =>
      forgetTokens(records, 'trustTokens', servers, (id) => live.has(id), signal),

    list: (): CertificateRecord[] =>
      records
        .list('certificates')
        .map(({ value }) => value)
        .filter(({ type }) => type !== 'server'),

    /** @throws LxdError `not-found`, `forbidden`, `invalid` */
    async update(
      { value, revision }: Versioned<CertificateRecord>,
      body: CertificatePut,
      caller: Caller,
    ): Promise<void> {
      if (body.type !== undefined && body.type !== value.type)
        throw new LxdError('forbidden', 'The certificate type cannot be changed');
      const next = {
        ...value,
        name: body.name ?? '',
        restricted: body.restricted ?? false,
        projects: checkProjects(body.projects ?? []),
      };
      const changed = body.certificate ? parse(body.certificate) : undefined;
      const transaction = records.transaction();
      if (changed && changed.fingerprint !== value.fingerprint) {
        const renewed = { ...next, fingerprint: changed.fingerprint, certificate: changed.pem };
        transaction
          .delete('certificates', [value.fingerprint], revision)
          .create('certificates', [changed.fingerprint], renewed);
      } else transaction.update('certificates', [value.fingerprint], revision, next);
      await transaction.commit({ signal: AbortSignal.timeout(recordTimeoutMs) });
      lifecycle('updated', value.fingerprint, caller);
    },

    async delete({ value, revision }: Versioned<CertificateRecord>, caller: Caller): Promise<void> {
      await records
        .transaction()
        .delete('certificates', [value.fingerprint], revision)
        .commit({ signal: AbortSignal.timeout(recordTimeoutMs) });
      lifecycle('deleted', value.fingerprint, caller);
    },
  };
}

export type CertificatesService = ReturnType<typeof certificatesService>;
