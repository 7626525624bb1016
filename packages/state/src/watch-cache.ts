import type { Kind, Versioned } from './collections.ts';
import { parseRecordKey, recordKey, recordPrefix, recordsPrefix } from './keys.ts';
import { SortedMap } from './sorted-map.ts';
import type { Entry, Store, WatchBatch } from './store.ts';

type Listener = (id: string[], value: unknown) => void;

interface Waiter {
  revision: number;
  resolve: () => void;
  reject: (error: Error) => void;
}

/** All records in memory, fed by one watch. Reading is synchronous. */
export class WatchCache {
  readonly #records = new SortedMap<Versioned<unknown>>();
  readonly #listeners = new Map<string, Set<Listener>>();
  readonly #waiters = new Set<Waiter>();
  readonly #onError: (error: unknown) => void;
  #revision = 0;
  #ended: Error | undefined;

  /** @param onError hears what a listener throws; the others still hear of the change. */
  constructor(onError: (error: unknown) => void) {
    this.#onError = onError;
  }

  /** Lists, then follows until aborted. `filled` resolves when the first listing is in. */
  async follow(store: Store, signal: AbortSignal, filled: () => void): Promise<void> {
    const { revision, entries } = await store.list(recordsPrefix, { signal });
    this.#apply({ revision, puts: entries, deletes: [], reset: true });
    filled();
    for await (const batch of store.watch(recordsPrefix, { fromRevision: revision, signal }))
      this.#apply(batch);
  }

  get(kind: Kind, id: readonly string[]): Versioned<unknown> | undefined {
    return this.#records.get(recordKey(kind, id));
  }

  list(kind: Kind, prefix: readonly string[]): Versioned<unknown>[] {
    return this.#records.withPrefix(recordPrefix(kind, prefix));
  }

  listen(kind: Kind, listener: Listener): Disposable {
    const listeners = this.#listeners.get(kind) ?? new Set();
    this.#listeners.set(kind, listeners.add(listener));
    return { [Symbol.dispose]: () => void listeners.delete(listener) };
  }

  /** Until everything up to this revision can be read here. */
  async reaches(revision: number, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    if (this.#ended) throw this.#ended;
    if (this.#revision >= revision) return;
    let waiter: Waiter | undefined;
    const abort = (): void => waiter?.reject(signal.reason as Error);
    signal.addEventListener('abort', abort);
    try {
      await new Promise<void>((resolve, reject) => {
        waiter = { revision, resolve, reject };
        this.#waiters.add(waiter);
      });
    } finally {
      if (waiter) this.#waiters.delete(waiter);
      signal.removeEventListener('abort', abort);
    }
  }

  /** Nothing will be followed any more: whoever waits is told. */
  end(error: Error): void {
    this.#ended ??= error;
    for (const waiter of this.#waiters) waiter.reject(error);
  }

  #apply(batch: WatchBatch): void {
    if (batch.reset) this.#forgetAllBut(new Set(batch.puts.map(({ key }) => key)));
    // A key may change more than once in a batch: puts and deletes are each in order, so merge them by revision.
    let next = 0;
    for (const deleted of batch.deletes) {
      for (
        let put = batch.puts[next];
        put && put.modRevision <= deleted.modRevision;
        put = batch.puts[next]
      ) {
        this.#put(put);
        next++;
      }
      this.#delete(deleted.key);
    }
    for (const put of batch.puts.slice(next)) this.#put(put);
    this.#revision = batch.revision;
    for (const waiter of this.#waiters) if (waiter.revision <= batch.revision) waiter.resolve();
  }

  #forgetAllBut(keys: ReadonlySet<string>): void {
    for (const key of this.#records.keys().filter((known) => !keys.has(known))) this.#delete(key);
  }

  #put({ key, value, modRevision }: Entry): void {
    if (this.#records.get(key)?.revision === modRevision) return;
    this.#records.set(key, { value, revision: modRevision });
    this.#tell(key, value);
  }

  #delete(key: string): void {
    if (this.#records.delete(key)) this.#tell(key, undefined);
  }

  #tell(key: string, value: unknown): void {
    const parsed = parseRecordKey(key);
    if (!parsed) return;
    for (const listener of this.#listeners.get(parsed.kind) ?? []) {
      try {
        listener(parsed.id, value);
      } catch (error) {
        this.#onError(error);
      }
    }
  }
}
