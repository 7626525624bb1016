import { Metadata } from '@grpc/grpc-js';
import { LxdError } from '@lxd-ts/core';
import { hubClient } from './connect-agent.ts';
import { createRequest, type Identity } from './pki.ts';

/** What a new member needs to join once: base64 of this as JSON. Its certificate is short-lived and only good for enrolling. */
export interface JoinToken {
  server_name: string;
  /** `HOST:PORT` of control-plane members. */
  addresses: string[];
  expires_at: string;
  identity: Identity;
}

export const encodeJoinToken = (token: JoinToken): string =>
  Buffer.from(JSON.stringify(token)).toString('base64');

/** @throws LxdError `invalid` */
export function decodeJoinToken(text: string): JoinToken {
  try {
    const token = JSON.parse(Buffer.from(text, 'base64').toString('utf8')) as Partial<JoinToken>;
    if (token.server_name && token.identity?.key && token.addresses?.length && token.expires_at) {
      return token as JoinToken;
    }
  } catch {
    // falls through to the one message
  }
  throw new LxdError('invalid', 'The join token is damaged; make a new one on a control-plane member');
}

/** Exchanges the token for this member's lasting identity; its key never leaves this machine. */
export async function enroll(token: JoinToken, now: Date): Promise<Identity> {
  if (new Date(token.expires_at) < now) {
    throw new LxdError('forbidden', `The join token expired at ${token.expires_at}; make a new one`);
  }
  const { key, request } = await createRequest();
  let failure: unknown;
  for (const address of token.addresses) {
    const client = hubClient(address, token.identity);
    try {
      const certificate = await new Promise<string>((resolve, reject) => {
        const options = { deadline: Date.now() + 15_000 };
        client.enroll({ certificateRequest: request }, new Metadata(), options, (error, reply) =>
          error ? reject(error) : resolve(reply.certificate),
        );
      });
      return { authority: token.identity.authority, certificate, key };
    } catch (error) {
      failure = error;
    } finally {
      client.close();
    }
  }
  const why = failure instanceof Error ? failure.message : String(failure);
  throw new LxdError('unavailable', `Could not join through ${token.addresses.join(', ')}: ${why}`, {
    cause: failure,
  });
}
