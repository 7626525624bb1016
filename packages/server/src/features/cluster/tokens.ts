import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { LxdError } from '@lxd-ts/core';
import type { Records, Transaction } from '@lxd-ts/state';
import { recordTimeoutMs } from './context.ts';
import { expiryAfter } from './expiry.ts';

const defaultExpiry = '3H';

const hash = (secret: string): string => createHash('sha256').update(secret).digest('hex');

const same = (a: string, b: string): boolean => timingSafeEqual(Buffer.from(hash(a)), Buffer.from(hash(b)));

export interface JoinToken {
  /** Of its record. */
  id: string;
  secret: string;
  /** ISO 8601. */
  expiresAt: string;
}

/**
 * One use, for one name, by any server of the control plane. Only the secret's hash is kept. An earlier token for the name is
 * good no more.
 */
export async function createJoinToken(
  records: Records,
  { id, member, server }: { id: string; member: string; server: string },
  now: Date,
): Promise<JoinToken> {
  const secret = randomBytes(32).toString('hex');
  const expiry = records.get('serverConfig')?.value.config['cluster.join_token_expiry'] || defaultExpiry;
  const expiresAt = expiryAfter(expiry, now).toISOString();
  const record = { id, member, secretHash: hash(secret), createdAt: now.toISOString(), expiresAt, server };
  const transaction = records.transaction().create('joinTokens', [id], record);
  for (const { value } of records.list('joinTokens'))
    if (value.member === member) transaction.remove('joinTokens', [value.id]);
  await transaction.commit({ signal: AbortSignal.timeout(recordTimeoutMs) });
  return { id, secret, expiresAt };
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
  if (new Date(token.value.expiresAt) <= now) {
    throw new LxdError('forbidden', `The join token expired at ${token.value.expiresAt}; make a new one`);
  }
  return records.transaction().delete('joinTokens', [token.value.id], token.revision);
}
