import { setTimeout as sleep } from 'node:timers/promises';
import { toLxdError } from '@lxd-ts/core';
import { elect, leaderOf, type Guard, type Leadership, type Store } from '@lxd-ts/state';
import type { Logger } from '../services.ts';

/** What a leader does its duties with. */
export interface Term {
  /** In every transaction of a duty, so that nobody who leads no longer can commit it. */
  guard: Guard;
  /** Aborted before anybody else can lead. */
  signal: AbortSignal;
}

/** Something that one server of the control plane does for all, again and again. Duties never overlap. */
export interface Duty {
  name: string;
  everyMs: number;
  run(term: Term): Promise<void>;
}

export interface LeaderOptions {
  /** Of this server. */
  name: string;
  log: Logger;
  duties: readonly Duty[];
  /** How long a leader that is gone is waited for. */
  ttlSeconds?: number;
  signal: AbortSignal;
}

const election = 'leader';
const defaultTtlSeconds = 8;
const againMs = 1_000;

/** One after the other, each when it is due, until the term ends. */
async function serveTerm({ guard, lost }: Leadership, { duties, log, signal }: LeaderOptions): Promise<void> {
  const term = { guard, signal: AbortSignal.any([lost, signal]) };
  const due = new Map(duties.map((duty) => [duty, performance.now()]));
  while (!term.signal.aborted) {
    for (const duty of duties) {
      if (performance.now() < (due.get(duty) ?? 0)) continue;
      try {
        await duty.run(term);
      } catch (error) {
        // eslint-disable-next-line @typescript-eslint/no-unnecessary-condition -- aborted meanwhile
        if (term.signal.aborted) return;
        log.warn('a duty of the leader failed; it is done again later', {
          duty: duty.name,
          error: toLxdError(error).message,
        });
      }
      due.set(duty, performance.now() + duty.everyMs);
    }
    const wait = Math.min(...due.values()) - performance.now();
    await sleep(Math.max(wait, 10), undefined, { signal: term.signal, ref: false }).catch(() => undefined);
  }
}

/** Stands for leader until aborted; leads whenever elected. */
export async function lead(store: Store, options: LeaderOptions): Promise<void> {
  const { name, log, ttlSeconds = defaultTtlSeconds, signal } = options;
  while (!signal.aborted) {
    try {
      await using leadership = await elect(store, election, { id: name, ttlSeconds, signal });
      log.info('leads the control plane', { server: name });
      await serveTerm(leadership, options);
      log.info('leads no longer', { server: name });
    } catch (error) {
      // eslint-disable-next-line @typescript-eslint/no-unnecessary-condition -- aborted meanwhile
      if (signal.aborted) return;
      log.warn('standing for leader failed; it is tried again', { error: toLxdError(error).message });
      await sleep(againMs, undefined, { signal, ref: false }).catch(() => undefined);
    }
  }
}

const presenceOf = (server: string): string => `server/${server}`;

/** Shows until aborted that this server is alive and reaches etcd. */
export async function bePresent(
  store: Store,
  { name, ttlSeconds = defaultTtlSeconds, signal }: Pick<LeaderOptions, 'name' | 'ttlSeconds' | 'signal'>,
): Promise<void> {
  while (!signal.aborted) {
    try {
      await using presence = await elect(store, presenceOf(name), { id: name, ttlSeconds, signal });
      await new Promise<void>((resolve) => {
        const over = AbortSignal.any([presence.lost, signal]);
        if (over.aborted) resolve();
        else over.addEventListener('abort', () => resolve(), { once: true });
      });
    } catch {
      await sleep(againMs, undefined, { signal, ref: false }).catch(() => undefined);
    }
  }
}

/** Whether a server has shown a short while ago that it is alive. */
export async function isPresent(store: Store, name: string, signal: AbortSignal): Promise<boolean> {
  return (await leaderOf(store, presenceOf(name), { signal })) !== undefined;
}
