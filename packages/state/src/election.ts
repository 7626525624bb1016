import { electionKey } from './keys.ts';
import type { Guard, Store } from './store.ts';

export interface Leadership extends AsyncDisposable {
  /** Put into every transaction that only the leader may make. */
  guard: Guard;
  /** Aborted before anybody else can have become leader. */
  lost: AbortSignal;
}

export interface Candidate {
  /** Shown to whoever asks who leads. */
  id: string;
  ttlSeconds: number;
  /** Ends the wait. Leadership itself ends by disposal. */
  signal: AbortSignal;
}

/** Waits until this candidate leads. The key lives as long as the leader's lease; its creation is the guard. */
export async function elect(store: Store, name: string, candidate: Candidate): Promise<Leadership> {
  const { id, ttlSeconds, signal } = candidate;
  const key = electionKey(name);
  for (;;) {
    const leader = await store.get(key, { signal });
    if (leader) {
      await isGone(store, key, leader.modRevision, signal);
      signal.throwIfAborted();
      continue;
    }
    const lease = await store.lease(ttlSeconds, { signal });
    const put = { type: 'put' as const, key, value: { id }, lease };
    const result = await store
      .commit([{ key, modRevision: 0 }], [put], { signal })
      .catch(async (error: unknown) => {
        await lease[Symbol.asyncDispose]();
        throw error;
      });
    if (!result.ok || lease.lost.aborted) {
      await lease[Symbol.asyncDispose]();
      continue;
    }
    const ended = new AbortController();
    const stop = (): void => ended.abort();
    lease.lost.addEventListener('abort', stop, { once: true });
    // Someone may take the key away while the lease lives on.
    const watching = isGone(store, key, result.revision, ended.signal).then(stop, stop);
    return {
      guard: { key, createRevision: result.revision },
      lost: ended.signal,
      async [Symbol.asyncDispose]() {
        stop();
        await watching;
        await lease[Symbol.asyncDispose]();
      },
    };
  }
}

/** Who leads now. */
export async function leaderOf(
  store: Store,
  name: string,
  options: { signal: AbortSignal },
): Promise<string | undefined> {
  const found = await store.get(electionKey(name), options);
  return (found?.value as { id: string } | undefined)?.id;
}

/** Until the key as of this revision is there no more, or aborted. */
async function isGone(store: Store, key: string, revision: number, signal: AbortSignal): Promise<void> {
  for await (const { puts, deletes, reset } of store.watch(key, { fromRevision: revision, signal })) {
    if (deletes.some((deleted) => deleted.key === key)) return;
    if (reset && puts.find((put) => put.key === key)?.modRevision !== revision) return;
  }
}
