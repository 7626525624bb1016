/** One key as etcd holds it; `value` is the decoded JSON. */
export interface Entry<T = unknown> {
  key: string;
  value: T;
  createRevision: number;
  /** Revision of the last change: the guard for the next one, and the REST ETag's source. */
  modRevision: number;
}

/** Holds when the key's last change is exactly this revision; 0: when the key is absent. `createRevision` guards a leader's changes. */
export type Guard = { key: string; modRevision: number } | { key: string; createRevision: number };

export type Change =
  | { type: 'put'; key: string; value: unknown; lease?: Lease }
  | { type: 'delete'; key: string }
  | { type: 'delete-prefix'; prefix: string };

export type CommitResult = { ok: true; revision: number } | { ok: false };

export interface WatchBatch {
  /** All changes up to this revision have been delivered. */
  revision: number;
  puts: Entry[];
  deletes: { key: string; modRevision: number }[];
  /** The history was compacted away: `puts` is the whole prefix, everything else is gone. */
  reset: boolean;
}

export interface Lease extends AsyncDisposable {
  id: string;
  /** Aborted before the lease can have ended at the server. */
  lost: AbortSignal;
}

/** Where records live: etcd, or memory for unit tests. One suite runs on both. */
export interface Store {
  get(key: string, options: { signal: AbortSignal }): Promise<Entry | undefined>;
  /** Sorted by key, as of one revision. */
  list(prefix: string, options: { signal: AbortSignal }): Promise<{ revision: number; entries: Entry[] }>;
  /**
   * One transaction: all changes when all guards hold, none otherwise. `unavailable` when etcd does not answer
   * in time; a retried transaction that applied the first time is recognised, never reported as lost.
   */
  commit(
    guards: readonly Guard[],
    changes: readonly Change[],
    options: { signal: AbortSignal },
  ): Promise<CommitResult>;
  /** Batches after `fromRevision` in order, for ever; survives reconnects and compaction. Ends when aborted. */
  watch(prefix: string, options: { fromRevision: number; signal: AbortSignal }): AsyncIterable<WatchBatch>;
  lease(ttlSeconds: number, options: { signal: AbortSignal }): Promise<Lease>;
  close(): Promise<void>;
}
