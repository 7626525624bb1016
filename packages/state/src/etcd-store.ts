import { LxdError } from '@lxd-ts/core';
import { etcdClient, isCompacted, untilAnswered, type EtcdTarget } from './etcd-client.ts';
import { entryOf, prefixEnd } from './etcd-codec.ts';
import { EtcdCommitter } from './etcd-committer.ts';
import { EtcdLeaseKeeper } from './etcd-lease-keeper.ts';
import { etcdWatch } from './etcd-watch.ts';
import type { Entry, Store } from './store.ts';

export interface EtcdStoreOptions extends EtcdTarget {
  /** Who commits, e.g. the member's name. Not two at a time under one name: it works, but slowly. */
  writer: string;
  /** Unique for ever, e.g. a random UUID: tells this store's commits from all others'. */
  id: string;
}

/** Keys in one page of a listing. */
const pageSize = 1000;

/** Records in etcd. Nothing is called before the first use. */
export function openEtcdStore(options: EtcdStoreOptions): Store {
  const client = etcdClient(options);
  const committer = new EtcdCommitter(client, options.writer, options.id);
  const leases = new EtcdLeaseKeeper(client);
  const closing = new AbortController();
  const { kv } = client.raw;

  const until = (signal: AbortSignal): AbortSignal => {
    if (closing.signal.aborted) throw new LxdError('unavailable', 'The store is closed');
    return signal;
  };

  async function listOnce(
    prefix: string,
    signal: AbortSignal,
  ): Promise<{ revision: number; entries: Entry[] }> {
    const entries: Entry[] = [];
    const range_end = prefixEnd(prefix);
    let key = Buffer.from(prefix);
    let revision = 0;
    for (;;) {
      const from = key;
      const at = revision;
      const page = await untilAnswered(client, signal, () =>
        kv.range({ key: from, range_end, limit: pageSize, revision: at }),
      );
      revision ||= Number(page.header.revision);
      for (const found of page.kvs) entries.push(entryOf(found));
      const last = page.kvs.at(-1);
      if (!page.more || !last) return { revision, entries };
      key = Buffer.concat([last.key, Buffer.from([0])]);
    }
  }

  async function list(prefix: string, signal: AbortSignal): Promise<{ revision: number; entries: Entry[] }> {
    for (;;) {
      try {
        return await listOnce(prefix, signal);
      } catch (error) {
        // Compacted between two pages: begin again, at a newer revision.
        if (!isCompacted(error)) throw error;
      }
    }
  }

  return {
    async get(key, { signal }) {
      const { kvs } = await untilAnswered(client, until(signal), () => kv.range({ key: Buffer.from(key) }));
      return kvs[0] && entryOf(kvs[0]);
    },
    list: async (prefix, { signal }) => list(prefix, until(signal)),
    commit: async (guards, changes, { signal }) => committer.commit(guards, changes, until(signal)),
    watch: (prefix, { fromRevision, signal }) =>
      etcdWatch(client, prefix, { fromRevision, signal: AbortSignal.any([signal, closing.signal]), list }),
    lease: async (ttlSeconds, { signal }) => leases.grant(ttlSeconds, until(signal)),
    async close() {
      await Promise.resolve();
      if (closing.signal.aborted) return;
      closing.abort();
      leases.close();
      client.raw.close();
    },
  };
}
