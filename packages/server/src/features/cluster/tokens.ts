import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { LxdError } from '@lxd-ts/core';
import type { Records, Transaction } from '@lxd-ts/state';

const tokenHours = 3;

const hash = (secret: string): string => createHash('sha256').update(secret).digest('hex');

const same = (a: string, b: string): boolean => timingSafeEqual(Buffer.from(hash(a)), Buffer.from(hash(b)));

export interface JoinToken {
  secret: string;
  expiresAt: string;
}

/** One use, for one name, by any server of the control plane. Only the secret's hash is kept. */
export async function createJoinToken(
  records: Records,
  { id, member, server }: { id: string; member: string; server: string },
  now: Date,
  signal: AbortSignal,
): Promise<JoinToken> {
  const secret = randomBytes(32).toString('hex');
  const expiresAt = new Date(now.getTime() + tokenHours * 3_600_000).toISOString();
  const record = { id, member, secretHash: hash(secret), createdAt: now.toISOString(), expiresAt, server };
  await records.transaction().create('joinTokens', [id], record).commit({ signal });
  return { secret, expiresAt };
}

/**
 * A transaction that uses the token up: whoever commits it is the only one.
 * @throws LxdError `forbidden`
 */
export function redeem(records: Records, member: string, secret: string, now: Date): Transaction {
  const shown = hash(secret);
  const token = records
    .list('joinTokens')
    .find(({ value }) => value.member === member && same(value.secretHash, shown));
  if (!token) {
    throw new LxdError('forbidden', 'The join token is not known: it was used already, or revoked');
  }
  if (new Date(token.value.expiresAt) < now) {
    throw new LxdError('forbidden', `The join token expired at ${token.value.expiresAt}; make a new one`);
  }
  return records.transaction().delete('joinTokens', [token.value.id], token.revision);
}
