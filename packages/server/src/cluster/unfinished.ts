import { setTimeout as sleep } from 'node:timers/promises';
import { toLxdError } from '@lxd-ts/core';
import type { Pending, Records } from '@lxd-ts/state';
import type { Services } from '../services.ts';

/** An intent on record that is not carried out yet. */
interface Unfinished extends Pick<Pending, 'server' | 'operation'> {
  /** The same as long as nothing happens to it. */
  key: string;
}

const kinds = ['pools', 'networks', 'volumes', 'instances', 'backups', 'volumeBackups', 'members'] as const;

/** What any server is at, or has left. */
export const unfinished = (records: Records): Unfinished[] =>
  kinds.flatMap((kind) =>
    records.list(kind).flatMap(({ value: { pending }, revision }) => {
      if (!pending) return [];
      const { server, operation } = pending;
      return [{ server, operation, key: `${kind} ${operation} ${revision}` }];
    }),
  );

export interface FinishLaterOptions {
  recover(servers: readonly string[], options: { signal: AbortSignal }): Promise<void>;
  /** Of the first look; while looks find the same again each waits twice as long as the one before. */
  shortestMs?: number;
  longestMs?: number;
  signal: AbortSignal;
}

/**
 * Until aborted: what this server has on record as under way, and is not at, is tried again. So ends what failed and
 * could not be taken back either, say because a link was broken just then.
 */
export async function finishLater(
  { records, server, operations, log }: Pick<Services, 'records' | 'server' | 'operations' | 'log'>,
  { recover, shortestMs = 5_000, longestMs = 60_000, signal }: FinishLaterOptions,
): Promise<void> {
  let before = new Set<string>();
  for (let waitMs = shortestMs; ;) {
    await sleep(waitMs, undefined, { signal, ref: false }).catch(() => undefined);
    if (signal.aborted) return;
    const left = unfinished(records).filter(
      (one) => one.server === server && !operations.isRunning(one.operation),
    );
    // What is seen for the first time may be about to end.
    const again = left.some(({ key }) => before.has(key));
    if (again)
      await recover([server], { signal }).catch((error: unknown) =>
        log.warn('what was left unfinished is tried again later', { error: toLxdError(error).message }),
      );
    waitMs = again ? Math.min(waitMs * 2, longestMs) : shortestMs;
    before = new Set(left.map(({ key }) => key));
  }
}
