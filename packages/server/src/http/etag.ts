import { createHash } from 'node:crypto';
import { LxdError } from '@lxd-ts/core';

/** The tag of what a client may have seen: the same for the same value. */
export const etagOf = (value: unknown): string =>
  createHash('sha256')
    .update(JSON.stringify(value ?? null))
    .digest('hex');

/** @throws LxdError `precondition-failed` when the caller means another version */
export function checkETag(ifMatch: string | undefined, value: unknown): void {
  const wanted = ifMatch?.replace(/^"(.*)"$/, '$1');
  if (!wanted) return;
  const is = etagOf(value);
  if (is !== wanted) throw new LxdError('precondition-failed', `ETag doesn't match: ${is} vs ${wanted}`);
}
