import { LxdError } from '@lxd-ts/core';
import type { Records } from '@lxd-ts/state';

/** Records of tokens, shown by an operation of the server that made them. */
export type TokenKind = 'joinTokens' | 'trustTokens' | 'imageTokens';

const commitTimeoutMs = 30_000;
/** What a timer can wait at most. */
const longestMs = 2 ** 31 - 1;

/**
 * The life of a token's operation: until it is used, replaced or expired. Given up, the token is good no more.
 * @param token.expiresAt ISO 8601; empty: it does not expire
 * @throws LxdError `cancelled` when it was not used
 */
export async function untilUsed(
  records: Records,
  kind: TokenKind,
  { id, expiresAt }: { id: string; expiresAt: string },
  now: () => Date,
  signal: AbortSignal,
): Promise<void> {
  const over = Promise.withResolvers<undefined>();
  const end = () => over.resolve(undefined);
  using _listening = records.onChange(kind, ([changed], value) => {
    if (changed === id && !value) end();
  });
  signal.addEventListener('abort', end, { once: true });
  let timer: NodeJS.Timeout | undefined;
  const wait = (): void => {
    const left = new Date(expiresAt).getTime() - now().getTime();
    if (left <= 0) end();
    else timer = setTimeout(wait, Math.min(left, longestMs)).unref();
  };
  if (expiresAt) wait();
  try {
    if (records.get(kind, id) && !signal.aborted) await over.promise;
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', end);
  }
  if (!records.get(kind, id)) return;
  await records
    .transaction()
    .remove(kind, [id])
    .commit({ signal: AbortSignal.timeout(commitTimeoutMs) });
  throw new LxdError('cancelled', signal.aborted ? 'The token was revoked' : 'The token expired');
}

/** Tokens of servers that ended: their operations are gone, so nobody could revoke them. */
export async function forgetTokens(
  records: Records,
  kind: TokenKind,
  servers: readonly string[],
  isLive: (id: string) => boolean,
  signal: AbortSignal,
): Promise<void> {
  for (const { value } of records.list(kind)) {
    if (servers.includes(value.server) && !isLive(value.id))
      await records.transaction().remove(kind, [value.id]).commit({ signal });
  }
}
