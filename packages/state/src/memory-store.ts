import { LxdError } from '@lxd-ts/core';
import type { Change, CommitResult, Entry, Guard, Lease, Store, WatchBatch } from './store.ts';

interface Held {
  /** JSON, so that nobody shares an object with the store. */
  json: string;
  createRevision: number;
  modRevision: number;
  lease?: string;
}

interface Logged {
  revision: number;
  key: string;
  /** Absent: deleted. */
  held?: Held;
}

/** A store in memory with etcd's semantics, and what a test needs to make trouble. */
export interface MemoryStore extends Store {
  /** Forgets the history: watches that are behind must list again. */
  compact(): void;
  /** Ends a lease as if nobody had kept it alive. */
  expire(lease: Lease): void;
}

const entryOf = (key: string, held: Held): Entry => ({
  key,
  value: JSON.parse(held.json) as unknown,
  createRevision: held.createRevision,
  modRevision: held.modRevision,
});

const byKey = (a: { key: string }, b: { key: string }): number => (a.key < b.key ? -1 : 1);

/** Records in memory, for unit tests. Same suite as etcd. */
export function memoryStore(): MemoryStore {
  const held = new Map<string, Held>();
  const leases = new Map<string, AbortController>();
  const changed = new EventTarget();
  let history: Logged[] = [];
  let revision = 1;
  let compacted = 1;
  let granted = 0;
  let closed = false;

  const check = (signal?: AbortSignal): void => {
    signal?.throwIfAborted();
    if (closed) throw new LxdError('unavailable', 'The store is closed');
  };

  const listNow = (prefix: string): Entry[] =>
    [...held]
      .filter(([key]) => key.startsWith(prefix))
      .map(([key, value]) => entryOf(key, value))
      .sort(byKey);

  const holds = (guard: Guard): boolean => {
    const now = held.get(guard.key);
    return 'modRevision' in guard
      ? (now?.modRevision ?? 0) === guard.modRevision
      : (now?.createRevision ?? 0) === guard.createRevision;
  };

  function apply(changes: readonly Change[]): void {
    const next = revision + 1;
    const events: Logged[] = [];
    const drop = (key: string): void => {
      if (held.delete(key)) events.push({ revision: next, key });
    };
    for (const change of changes) {
      if (change.type === 'delete') drop(change.key);
      else if (change.type === 'delete-prefix') {
        for (const key of [...held.keys()]) if (key.startsWith(change.prefix)) drop(key);
      } else {
        const value: Held = {
          json: JSON.stringify(change.value),
          createRevision: held.get(change.key)?.createRevision ?? next,
          modRevision: next,
          ...(change.lease && { lease: change.lease.id }),
        };
        held.set(change.key, value);
        events.push({ revision: next, key: change.key, held: value });
      }
    }
    if (events.length === 0) return;
    revision = next;
    history.push(...events);
    changed.dispatchEvent(new Event('change'));
  }

  function checkChanges(changes: readonly Change[]): void {
    const keys = changes.flatMap((change) => ('key' in change ? [change.key] : []));
    if (new Set(keys).size < keys.length)
      throw new LxdError('internal', 'One transaction changes a key twice');
    for (const change of changes) {
      if (change.type === 'put' && change.lease && !leases.has(change.lease.id)) {
        throw new LxdError('not-found', 'The lease has ended');
      }
    }
  }

  function endLease(id: string): void {
    const controller = leases.get(id);
    if (!controller) return;
    leases.delete(id);
    controller.abort();
    const keys = [...held].filter(([, value]) => value.lease === id).map(([key]) => key);
    apply(keys.map((key) => ({ type: 'delete', key })));
  }

  function batchSince(prefix: string, after: number): WatchBatch | undefined {
    if (after < compacted - 1) return { revision, puts: listNow(prefix), deletes: [], reset: true };
    const events = history.filter((event) => event.revision > after && event.key.startsWith(prefix));
    if (events.length === 0) return undefined;
    return {
      revision,
      puts: events.flatMap((event) => (event.held ? [entryOf(event.key, event.held)] : [])),
      deletes: events.flatMap((event) =>
        event.held ? [] : [{ key: event.key, modRevision: event.revision }],
      ),
      reset: false,
    };
  }

  return {
    async get(key, { signal }) {
      await Promise.resolve();
      check(signal);
      const now = held.get(key);
      return now && entryOf(key, now);
    },
    async list(prefix, { signal }) {
      await Promise.resolve();
      check(signal);
      return { revision, entries: listNow(prefix) };
    },
    async commit(guards, changes, { signal }): Promise<CommitResult> {
      await Promise.resolve();
      check(signal);
      checkChanges(changes);
      if (!guards.every(holds)) return { ok: false };
      apply(changes);
      return { ok: true, revision };
    },
    async *watch(prefix, { fromRevision, signal }) {
      let after = fromRevision;
      while (!signal.aborted && !closed) {
        const batch = batchSince(prefix, after);
        if (batch) {
          after = batch.revision;
          yield batch;
        } else {
          await new Promise<void>((resolve) => {
            const wake = (): void => {
              signal.removeEventListener('abort', wake);
              changed.removeEventListener('change', wake);
              resolve();
            };
            signal.addEventListener('abort', wake);
            changed.addEventListener('change', wake);
          });
        }
      }
    },
    async lease(_ttlSeconds, { signal }) {
      await Promise.resolve();
      check(signal);
      const controller = new AbortController();
      const id = String(++granted);
      leases.set(id, controller);
      return {
        id,
        lost: controller.signal,
        async [Symbol.asyncDispose]() {
          await Promise.resolve();
          endLease(id);
        },
      };
    },
    async close() {
      await Promise.resolve();
      closed = true;
      for (const controller of leases.values()) controller.abort();
      changed.dispatchEvent(new Event('change'));
    },
    compact() {
      compacted = revision + 1;
      history = [];
    },
    expire: (lease) => endLease(lease.id),
  };
}
