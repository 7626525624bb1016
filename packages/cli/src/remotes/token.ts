/** What a server hands out for a client (or a member) to prove that it was invited. */
export interface Token {
  fingerprint: string;
  addresses: string[];
  secret: string;
  /** The member that it is for, if it is for one. */
  serverName?: string;
}

const isTexts = (value: unknown): value is string[] =>
  Array.isArray(value) && value.every((one) => typeof one === 'string');

/** Undefined for a text that is no token. */
export function parseToken(text: string): Token | undefined {
  if (!/^[\w+/-]{40,}={0,2}$/.test(text)) return undefined;
  try {
    const value = JSON.parse(Buffer.from(text, 'base64').toString()) as Record<string, unknown>;
    const { fingerprint, addresses, secret, server_name: member } = value;
    if (typeof fingerprint !== 'string' || typeof secret !== 'string' || !isTexts(addresses))
      return undefined;
    return { fingerprint, addresses, secret, ...(typeof member === 'string' ? { serverName: member } : {}) };
  } catch {
    return undefined;
  }
}

/** LXD's zero time: it never ends. */
const never = '0001-01-01T00:00:00Z';

/** As LXD's client writes a time: without the zeros at the end of a fraction. The same token is the same text then. */
const shortened = (time: string): string => time.replace(/(\.\d*?)0+Z$/, '$1Z').replace(/\.Z$/, 'Z');

/**
 * The token that a token operation stands for, as people hand it on.
 * @param who `client_name` for a client's, `server_name` for a member's
 */
export function encodeToken(
  metadata: Readonly<Record<string, unknown>>,
  who: 'client_name' | 'server_name',
  name: string,
): string {
  const { fingerprint, addresses, secret, expiresAt } = metadata;
  const token = {
    [who]: name,
    fingerprint,
    addresses,
    secret,
    expires_at: typeof expiresAt === 'string' ? shortened(expiresAt) : never,
  };
  return Buffer.from(JSON.stringify(token)).toString('base64');
}
