import type { ClientDuplexStream } from '@grpc/grpc-js';
import type { IEvent, IWatchRequest, IWatchResponse } from 'etcd3';
import { LxdError } from '@lxd-ts/core';
import { Backoff, streamOptions, type EtcdClient } from './etcd-client.ts';
import { entryOf, prefixEnd } from './etcd-codec.ts';
import type { Entry, WatchBatch } from './store.ts';

/** A watch must be set up within this time, or another connection is tried. */
const setupMs = 3000;

/** As it arrives: etcd3's own type does not know fragments. */
type WatchResponse = Omit<IWatchResponse, 'fragment'> & {
  /** The rest of these events follows. */
  fragment: boolean;
};

export interface WatchOptions {
  fromRevision: number;
  signal: AbortSignal;
  list: (prefix: string, signal: AbortSignal) => Promise<{ revision: number; entries: Entry[] }>;
}

/**
 * Our own watcher. It resumes by the last revision that was delivered, never by what the server has said it is at;
 * a compacted history, or another cluster behind the same address, ends in a fresh listing.
 */
export async function* etcdWatch(
  client: EtcdClient,
  prefix: string,
  options: WatchOptions,
): AsyncGenerator<WatchBatch> {
  const { signal, list } = options;
  const backoff = new Backoff(1000);
  let delivered = options.fromRevision;
  let cluster: string | undefined;
  let lostHistory = false;
  while (!signal.aborted) {
    try {
      if (lostHistory) {
        const { revision, entries } = await list(prefix, signal);
        delivered = revision;
        lostHistory = false;
        yield { revision, puts: entries, deletes: [], reset: true };
      }
      let events: IEvent[] = [];
      for await (const response of responses(client, prefix, delivered + 1, signal)) {
        cluster ??= response.header.cluster_id;
        if (Number(response.compact_revision) > 0 || response.header.cluster_id !== cluster) {
          cluster = response.header.cluster_id;
          lostHistory = true;
          break;
        }
        if (response.canceled) break;
        events.push(...response.events);
        if (response.created || response.fragment) continue;
        backoff.reset();
        const batch = batchOf(events, Number(response.header.revision));
        events = [];
        if (batch.revision <= delivered) continue;
        delivered = batch.revision;
        yield batch;
      }
    } catch (error) {
      // Nothing is lost: the next stream goes on after `delivered`. Trying again mends no damaged value, though.
      if (error instanceof LxdError && error.code === 'internal') throw error;
    }
    await backoff.wait(signal).catch(() => undefined);
  }
}

/** With events the last one's revision is what is delivered; without (a progress notice) the server's is. */
function batchOf(events: readonly IEvent[], serverRevision: number): WatchBatch {
  const batch: WatchBatch = { revision: serverRevision, puts: [], deletes: [], reset: false };
  for (const { type, kv } of events) {
    batch.revision = Number(kv.mod_revision);
    if (type === 'Delete') batch.deletes.push({ key: kv.key.toString(), modRevision: batch.revision });
    else batch.puts.push(entryOf(kv));
  }
  return batch;
}

/** One stream, until it ends or fails. */
async function* responses(
  client: EtcdClient,
  prefix: string,
  revision: number,
  signal: AbortSignal,
): AsyncGenerator<WatchResponse> {
  const stream = (await client.raw.watchClient.watch(streamOptions)) as unknown as ClientDuplexStream<
    IWatchRequest,
    WatchResponse
  >;
  const cancel = (): void => stream.cancel();
  const setup = setTimeout(cancel, setupMs);
  signal.addEventListener('abort', cancel, { once: true });
  try {
    signal.throwIfAborted();
    const create = {
      key: Buffer.from(prefix),
      range_end: prefixEnd(prefix),
      start_revision: revision,
      progress_notify: true,
      fragment: true,
    };
    stream.write({ create_request: create });
    for await (const response of stream as AsyncIterable<WatchResponse>) {
      clearTimeout(setup);
      yield response;
    }
  } finally {
    clearTimeout(setup);
    signal.removeEventListener('abort', cancel);
    // Cancelling is an error event to whoever listens; nobody else does.
    stream.on('error', () => undefined);
    stream.cancel();
  }
}
