import { LxdError, toLxdError } from '@lxd-ts/core';
import type { Kind, Kinds, Records, Transaction, Versioned } from './collections.ts';
import { barrierKey, recordKey } from './keys.ts';
import type { Change, Guard, Store } from './store.ts';
import { WatchCache } from './watch-cache.ts';

/** A change that loses this often is contended beyond reason. */
const modifyAttempts = 20;

export interface RecordsOptions {
  /** Of the first listing only; closing is by disposal. */
  signal: AbortSignal;
  /** Hears what a change listener throws, and why following ended should it ever end by itself. */
  onError?: (error: Error) => void;
}

/** Fills the watch cache and keeps it filled until disposed. The store stays the caller's. */
export async function openRecords(store: Store, options: RecordsOptions): Promise<Records & AsyncDisposable> {
  const { signal, onError = () => undefined } = options;
  signal.throwIfAborted();
  const closing = new AbortController();
  const cache = new WatchCache((error) => onError(toLxdError(error)));
  const filled = Promise.withResolvers<undefined>();
  const abort = (): void => closing.abort(signal.reason);
  signal.addEventListener('abort', abort);
  const following = cache
    .follow(store, closing.signal, () => filled.resolve(undefined))
    .then(
      () => new LxdError('unavailable', 'The records are closed'),
      (error: unknown) => toLxdError(error),
    )
    .then((end) => {
      filled.reject(end);
      cache.end(end);
      if (!closing.signal.aborted) onError(end);
    });
  try {
    await filled.promise;
  } finally {
    signal.removeEventListener('abort', abort);
  }

  /** Everything that was committed before this call can be read after it. */
  async function catchUp(waiting: AbortSignal): Promise<void> {
    const result = await store.commit([], [{ type: 'put', key: barrierKey, value: null }], {
      signal: waiting,
    });
    if (result.ok) await cache.reaches(result.revision, waiting);
  }

  const records: Records = {
    get: <K extends Kind>(kind: K, ...id: Kinds[K]['id']) =>
      cache.get(kind, id) as Versioned<Kinds[K]['record']> | undefined,
    list: <K extends Kind>(kind: K, ...prefix: string[]) =>
      cache.list(kind, prefix) as Versioned<Kinds[K]['record']>[],
    transaction: (...guards) => makeTransaction(store, cache, catchUp, guards),
    async modify(kind, id, change, { signal: waiting }) {
      for (let attempt = 0; attempt < modifyAttempts; attempt++) {
        let found = records.get(kind, ...id);
        if (!found) {
          // Somebody else may have made it a moment ago.
          await catchUp(waiting);
          found = records.get(kind, ...id);
        }
        if (!found) throw new LxdError('not-found', `No ${kind} record of ${id.join('/') || 'that name'}`);
        const value = change(found.value);
        if (value === undefined) return;
        const transaction = records.transaction().update(kind, id, found.revision, value);
        try {
          return await transaction.commit({ signal: waiting });
        } catch (error) {
          if (!(error instanceof LxdError) || error.code !== 'precondition-failed') throw error;
        }
      }
      throw new LxdError(
        'unavailable',
        `The ${kind} record of ${id.join('/')} is changed too often by others`,
      );
    },
    onChange: <K extends Kind>(
      kind: K,
      listener: (id: string[], value: Kinds[K]['record'] | undefined) => void,
    ): Disposable => cache.listen(kind, (id, value) => listener(id, value as Kinds[K]['record'] | undefined)),
  };

  return Object.assign(records, {
    async [Symbol.asyncDispose]() {
      closing.abort();
      await following;
    },
  });
}

function makeTransaction(
  store: Store,
  cache: WatchCache,
  catchUp: (signal: AbortSignal) => Promise<void>,
  guards: Guard[],
): Transaction {
  const changes: Change[] = [];
  /** Whether a watch is sure to show the commit: removing what does not exist shows nothing. */
  let visible = false;

  const guard = (key: string, modRevision: number): void => void guards.push({ key, modRevision });
  const put = (key: string, value: unknown): void => {
    visible = true;
    changes.push({ type: 'put', key, value });
  };

  const transaction: Transaction = {
    create(kind, id, value) {
      const key = recordKey(kind, id);
      guard(key, 0);
      put(key, value);
      return transaction;
    },
    update(kind, id, revision, value) {
      const key = recordKey(kind, id);
      guard(key, revision);
      put(key, value);
      return transaction;
    },
    delete(kind, id, revision) {
      const key = recordKey(kind, id);
      guard(key, revision);
      changes.push({ type: 'delete', key });
      visible ||= revision > 0;
      return transaction;
    },
    put(kind, id, value) {
      put(recordKey(kind, id), value);
      return transaction;
    },
    remove(kind, id) {
      changes.push({ type: 'delete', key: recordKey(kind, id) });
      return transaction;
    },
    guard(kind, id, revision) {
      guard(recordKey(kind, id), revision);
      return transaction;
    },
    async commit({ signal }) {
      if (changes.length > 0 && !visible) put(barrierKey, null);
      const result = await store.commit(guards, changes, { signal });
      if (!result.ok) {
        // The caller decides by what it reads next: let it not read what has just lost.
        await catchUp(signal);
        throw new LxdError('precondition-failed', 'The record was changed by someone else in the meantime');
      }
      if (changes.length > 0) await cache.reaches(result.revision, signal);
    },
  };
  return transaction;
}
