import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import type { Records, Transaction, TrustTokenRecord } from '@lxd-ts/state';
import { expiryAfter } from '../cluster/expiry.ts';

const commitTimeoutMs = 30_000;

const hash = (secret: string): Buffer => createHash('sha256').update(secret).digest();

export interface TrustToken {
  id: string;
  secret: string;
  /** ISO 8601; empty: it does not expire. */
  expiresAt: string;
}

/** One use, by any server of the control plane. Only the secret's hash is kept. */
export async function createTrustToken(
  records: Records,
  given: Pick<TrustTokenRecord, 'id' | 'name' | 'restricted' | 'projects' | 'server'>,
  expiry: string,
  now: Date,
): Promise<TrustToken> {
  const secret = randomBytes(32).toString('hex');
  const expiresAt = expiry ? expiryAfter(expiry, now).toISOString() : '';
  await records
    .transaction()
    .create('trustTokens', [given.id], {
      ...given,
      secretHash: hash(secret).toString('hex'),
      createdAt: now.toISOString(),
      expiresAt,
    })
    .commit({ signal: AbortSignal.timeout(commitTimeoutMs) });
  return { id: given.id, secret, expiresAt };
}

/** The secret in what a client sends as password, when that is a token. */
export function secretOf(password: string): string | undefined {
  try {
    const token = JSON.parse(Buffer.from(password, 'base64').toString('utf8')) as { secret?: unknown } | null;
    return typeof token?.secret === 'string' ? token.secret : undefined;
  } catch {
    return undefined;
  }
}

/**
 * The token of a secret, and a transaction that uses it up: whoever commits it is the only one.
 * @returns undefined when there is none that is good
 */
export function redeemTrustToken(
  records: Records,
  secret: string,
  now: Date,
): { token: TrustTokenRecord; transaction: Transaction } | undefined {
  const shown = hash(secret);
  const found = records
    .list('trustTokens')
    .find(({ value }) => timingSafeEqual(Buffer.from(value.secretHash, 'hex'), shown));
  if (!found) return undefined;
  const { value: token, revision } = found;
  if (token.expiresAt && new Date(token.expiresAt) <= now) return undefined;
  return { token, transaction: records.transaction().delete('trustTokens', [token.id], revision) };
}
