import { isIP } from 'node:net';
import { createHash, webcrypto, X509Certificate as NodeCertificate } from 'node:crypto';

/** A member's credentials, all PEM. `authority` is what it trusts. */
export interface Identity {
  authority: string;
  certificate: string;
  key: string;
}

/** The cluster's own authority: it signs what its members are. */
export interface Authority {
  certificate: string;
  key: string;
}

export interface Subject {
  /** Common name: the member's name, `join:<name>` for a token, `control-plane` for the hub. */
  commonName: string;
  /** A member speaks to others as a client, and to members as a server too. */
  role: 'server' | 'client' | 'member';
  /** Addresses that its server is reached at, where clients compare them. */
  addresses?: readonly string[];
}

const algorithm = { name: 'ECDSA', namedCurve: 'P-384', hash: 'SHA-384' } as const;
const years = (now: Date, count: number): Date =>
  new Date(Date.UTC(now.getUTCFullYear() + count, now.getUTCMonth(), now.getUTCDate()));

/** Loaded only where a cluster is made: one machine alone never pays for it. */
async function x509() {
  await import('reflect-metadata'); // its dependency injection looks for this at load
  const library = await import('@peculiar/x509');
  library.cryptoProvider.set(webcrypto);
  return library;
}

const pem = (label: string, der: ArrayBuffer): string => {
  const lines =
    Buffer.from(der)
      .toString('base64')
      .match(/.{1,64}/g) ?? [];
  return `-----BEGIN ${label}-----\n${lines.join('\n')}\n-----END ${label}-----\n`;
};

const generate = (): Promise<webcrypto.CryptoKeyPair> =>
  webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);

const exportKey = async (key: webcrypto.CryptoKey): Promise<string> =>
  pem('PRIVATE KEY', await webcrypto.subtle.exportKey('pkcs8', key));

function importKey(text: string): Promise<webcrypto.CryptoKey> {
  const der = Buffer.from(text.replace(/-----[^-]+-----|\s/g, ''), 'base64');
  return webcrypto.subtle.importKey('pkcs8', der, algorithm, true, ['sign']);
}

const serial = (): string => Buffer.from(webcrypto.getRandomValues(new Uint8Array(16))).toString('hex');

/** SHA-256 of the certificate, as LXD writes fingerprints. */
export const fingerprintOf = (certificate: string): string =>
  createHash('sha256').update(new NodeCertificate(certificate).raw).digest('hex');

export async function createAuthority(now: Date): Promise<Authority> {
  const { BasicConstraintsExtension, KeyUsageFlags, KeyUsagesExtension, X509CertificateGenerator } =
    await x509();
  const keys = await generate();
  const certificate = await X509CertificateGenerator.createSelfSigned({
    serialNumber: serial(),
    name: 'CN=lxd-ts cluster authority',
    notBefore: new Date(now.getTime() - 3_600_000),
    notAfter: years(now, 10),
    signingAlgorithm: algorithm,
    keys: keys,
    extensions: [
      new BasicConstraintsExtension(true, 0, true),
      new KeyUsagesExtension(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign, true),
    ],
  });
  return { certificate: certificate.toString('pem'), key: await exportKey(keys.privateKey) };
}

async function sign(
  authority: Authority,
  subject: Subject,
  publicKey: webcrypto.CryptoKey,
  lifetime: { from: Date; to: Date },
): Promise<string> {
  const { ExtendedKeyUsage, ExtendedKeyUsageExtension, SubjectAlternativeNameExtension, ...rest } =
    await x509();
  const alternatives = [
    ...(subject.role === 'server' ? [{ type: 'dns' as const, value: subject.commonName }] : []),
    ...(subject.addresses ?? []).map((value) => ({
      type: isIP(value) ? ('ip' as const) : ('dns' as const),
      value,
    })),
  ];
  const usages = {
    server: [ExtendedKeyUsage.serverAuth],
    client: [ExtendedKeyUsage.clientAuth],
    member: [ExtendedKeyUsage.serverAuth, ExtendedKeyUsage.clientAuth],
  }[subject.role];
  const certificate = await rest.X509CertificateGenerator.create({
    serialNumber: serial(),
    subject: [{ CN: [subject.commonName] }],
    issuer: new rest.X509Certificate(authority.certificate).subject,
    notBefore: lifetime.from,
    notAfter: lifetime.to,
    signingAlgorithm: algorithm,
    publicKey,
    signingKey: await importKey(authority.key),
    extensions: [
      new rest.BasicConstraintsExtension(false, undefined, true),
      new rest.KeyUsagesExtension(rest.KeyUsageFlags.digitalSignature, true),
      new ExtendedKeyUsageExtension(usages),
      ...(alternatives.length > 0 ? [new SubjectAlternativeNameExtension(alternatives)] : []),
    ],
  });
  return certificate.toString('pem');
}

/** A fresh key and its certificate. @param days how long it is good for; fractions are fine */
export async function issue(
  authority: Authority,
  subject: Subject,
  now: Date,
  days: number,
): Promise<Identity> {
  const keys = await generate();
  const lifetime = {
    from: new Date(now.getTime() - 3_600_000),
    to: new Date(now.getTime() + days * 86_400_000),
  };
  const certificate = await sign(authority, subject, keys.publicKey, lifetime);
  return { authority: authority.certificate, certificate, key: await exportKey(keys.privateKey) };
}

/** A server's own certificate, for those who pin it. */
export async function selfSigned(
  commonName: string,
  now: Date,
): Promise<{ certificate: string; key: string }> {
  const { ExtendedKeyUsage, ExtendedKeyUsageExtension, SubjectAlternativeNameExtension, ...rest } =
    await x509();
  const keys = await generate();
  const certificate = await rest.X509CertificateGenerator.createSelfSigned({
    serialNumber: serial(),
    name: [{ O: ['lxd-ts'] }, { CN: [`root@${commonName}`] }],
    notBefore: new Date(now.getTime() - 3_600_000),
    notAfter: years(now, 10),
    signingAlgorithm: algorithm,
    keys,
    extensions: [
      new rest.BasicConstraintsExtension(false, undefined, true),
      new rest.KeyUsagesExtension(rest.KeyUsageFlags.digitalSignature, true),
      new ExtendedKeyUsageExtension([ExtendedKeyUsage.serverAuth]),
      new SubjectAlternativeNameExtension([
        { type: 'dns', value: commonName },
        { type: 'ip', value: '127.0.0.1' },
        { type: 'ip', value: '::1' },
      ]),
    ],
  });
  return { certificate: certificate.toString('pem'), key: await exportKey(keys.privateKey) };
}

/** A key that never leaves this machine, and the request to have it certified. */
export async function createRequest(): Promise<{ key: string; request: string }> {
  const { Pkcs10CertificateRequestGenerator } = await x509();
  const keys = await generate();
  const request = await Pkcs10CertificateRequestGenerator.create({
    name: 'CN=member',
    keys: keys,
    signingAlgorithm: algorithm,
  });
  return { key: await exportKey(keys.privateKey), request: request.toString('pem') };
}

/** Certifies the key of a request under a name that we, not the request, choose. */
export async function certify(
  authority: Authority,
  request: string,
  subject: Subject,
  now: Date,
): Promise<string> {
  const { Pkcs10CertificateRequest } = await x509();
  const parsed = new Pkcs10CertificateRequest(request);
  if (!(await parsed.verify())) throw new Error('the certificate request is not signed by its own key');
  // Declared without a type that Node has.
  const publicKey = (await parsed.publicKey.export()) as unknown as webcrypto.CryptoKey;
  return sign(authority, subject, publicKey, {
    from: new Date(now.getTime() - 3_600_000),
    to: years(now, 10),
  });
}
