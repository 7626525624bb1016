import { LxdError } from '@lxd-ts/core';

/** What a new member needs to join once, as LXD's clients make it: base64 of this as JSON. */
export interface JoinToken {
  server_name: string;
  /** Of the cluster's certificate. */
  fingerprint: string;
  /** `HOST:PORT` of members. */
  addresses: string[];
  secret: string;
  expires_at: string;
}

export const encodeJoinToken = (token: JoinToken): string =>
  Buffer.from(JSON.stringify(token)).toString('base64');

/** @throws LxdError `invalid` */
export function decodeJoinToken(text: string): JoinToken {
  try {
    const token = JSON.parse(Buffer.from(text, 'base64').toString('utf8')) as Partial<JoinToken>;
    const { server_name, fingerprint, addresses, secret } = token;
    if (server_name && fingerprint && Array.isArray(addresses) && addresses.length > 0 && secret) {
      return { expires_at: '', ...token, server_name, fingerprint, addresses: addresses.map(String), secret };
    }
  } catch {
    // falls through to the one message
  }
  throw new LxdError('invalid', 'The join token is damaged; make a new one on a member of the cluster');
}
