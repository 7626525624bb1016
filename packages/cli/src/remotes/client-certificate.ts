import { generateKeyPairSync, randomBytes, sign } from 'node:crypto';

/** DER: a tag, the length, the content. */
function der(tag: number, ...parts: readonly Buffer[]): Buffer {
  const body = Buffer.concat(parts);
  if (body.length < 0x80) return Buffer.concat([Buffer.from([tag, body.length]), body]);
  const length = Buffer.from(body.length.toString(16).padStart(body.length < 0x100 ? 2 : 4, '0'), 'hex');
  return Buffer.concat([Buffer.from([tag, 0x80 | length.length]), length, body]);
}

const sequence = (...parts: readonly Buffer[]): Buffer => der(0x30, ...parts);
const set = (...parts: readonly Buffer[]): Buffer => der(0x31, ...parts);
const octets = (content: Buffer): Buffer => der(0x04, content);
const bits = (content: Buffer, unused = 0): Buffer => der(0x03, Buffer.from([unused]), content);
const utf8 = (text: string): Buffer => der(0x0c, Buffer.from(text));
const yes = der(0x01, Buffer.from([0xff]));

/** Object identifiers, encoded. */
const oid = {
  ecdsaWithSha384: Buffer.from('06082a8648ce3d040303', 'hex'),
  organization: Buffer.from('060355040a', 'hex'),
  commonName: Buffer.from('0603550403', 'hex'),
  keyUsage: Buffer.from('0603551d0f', 'hex'),
  extendedKeyUsage: Buffer.from('0603551d25', 'hex'),
  basicConstraints: Buffer.from('0603551d13', 'hex'),
  clientAuth: Buffer.from('06082b06010505070302', 'hex'),
};

/** Two digits of the year do until 2049, then the long form must be used. */
function time(date: Date): Buffer {
  const digits = date.toISOString().replaceAll(/[-:T]|\.\d+/g, '');
  return date.getUTCFullYear() < 2050
    ? der(0x17, Buffer.from(digits.slice(2)))
    : der(0x18, Buffer.from(digits));
}

const name = (organization: string, commonName: string): Buffer =>
  sequence(
    set(sequence(oid.organization, utf8(organization))),
    set(sequence(oid.commonName, utf8(commonName))),
  );

const pem = (label: string, content: Buffer): string =>
  `-----BEGIN ${label}-----\n${(content.toString('base64').match(/.{1,64}/g) ?? []).join('\n')}\n-----END ${label}-----\n`;

/** A key (ECDSA P-384) and a certificate signed by it, good for ten years of being a client. PEM. */
export function makeClientCertificate(owner: string, now: Date): { cert: string; key: string } {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-384' });
  const serial = randomBytes(16);
  // Positive, and without a zero in front.
  serial[0] = ((serial[0] ?? 0) & 0x3f) | 0x40;
  const until = new Date(now);
  until.setUTCFullYear(now.getUTCFullYear() + 10);
  const subject = name('lxd-ts', owner);
  const extensions = sequence(
    // Digital signature, key encipherment.
    sequence(oid.keyUsage, yes, octets(bits(Buffer.from([0xa0]), 5))),
    sequence(oid.extendedKeyUsage, octets(sequence(oid.clientAuth))),
    sequence(oid.basicConstraints, yes, octets(sequence())),
  );
  const body = sequence(
    der(0xa0, der(0x02, Buffer.from([2]))),
    der(0x02, serial),
    sequence(oid.ecdsaWithSha384),
    subject,
    sequence(time(now), time(until)),
    subject,
    publicKey.export({ type: 'spki', format: 'der' }),
    der(0xa3, extensions),
  );
  const certificate = sequence(body, sequence(oid.ecdsaWithSha384), bits(sign('sha384', body, privateKey)));
  return {
    cert: pem('CERTIFICATE', certificate),
    key: privateKey.export({ type: 'sec1', format: 'pem' }).toString(),
  };
}
