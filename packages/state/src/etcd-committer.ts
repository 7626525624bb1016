import { abortable } from '@lxd-ts/core';
import type { ITxnRequest, ITxnResponse } from 'etcd3';
import { answerOf, Backoff, noAnswer, untilAnswered, type EtcdClient } from './etcd-client.ts';
import { compareOf, entryOf, requestOf } from './etcd-codec.ts';
import { markerKey } from './keys.ts';
import { Pool } from './pool.ts';
import type { Change, CommitResult, Guard } from './store.ts';

/** Commits at a time. More of them only wait in line at etcd, with their deadlines running. */
const inFlight = 64;

/** A marker key that one commit at a time uses. */
interface Slot {
  key: string;
  /** Of the marker's last change as far as we know. */
  revision: number;
}

/** What the marker holds, after a transaction that looked at it. */
interface Marker {
  revision: number;
  value: unknown;
}

/**
 * Commits exactly once although answers get lost. Every transaction also writes a token into a marker key, and is
 * guarded by the marker's revision. After a call without an answer we *fence*: write the marker ourselves, guarded by
 * the same revision. Either that works, then the lost call can never apply any more and we try again; or the marker
 * holds our token, then the lost call has applied, and the marker's revision is its revision.
 */
export class EtcdCommitter {
  readonly #client: EtcdClient;
  readonly #slots: Pool<Slot>;
  readonly #id: string;
  #tokens = 0;

  /**
   * @param writer names the markers; the next process under this name uses them again.
   * @param id unique for ever: no two tokens are the same.
   */
  constructor(client: EtcdClient, writer: string, id: string) {
    this.#client = client;
    this.#id = id;
    this.#slots = new Pool(
      Array.from({ length: inFlight }, (_, slot) => ({ key: markerKey(writer, slot), revision: 0 })),
    );
  }

  /** Also after an abort a slot is good: whoever is next is guarded by its revision, and learns of a newer one. */
  async commit(
    guards: readonly Guard[],
    changes: readonly Change[],
    signal: AbortSignal,
  ): Promise<CommitResult> {
    signal.throwIfAborted();
    return this.#slots.lend(signal, (slot) => this.#commit(slot, guards, changes, signal));
  }

  #token(): string {
    return `${this.#id}:${++this.#tokens}`;
  }

  async #commit(
    slot: Slot,
    guards: readonly Guard[],
    changes: readonly Change[],
    signal: AbortSignal,
  ): Promise<CommitResult> {
    const compare = guards.map(compareOf);
    const success = changes.map(requestOf);
    const token = this.#token();
    const end = performance.now() + this.#client.patienceMs;
    const backoff = new Backoff();
    for (;;) {
      let response: ITxnResponse;
      try {
        const request = this.#marked(slot, token);
        request.compare?.push(...compare);
        request.success?.unshift(...success);
        response = await abortable(this.#client.raw.kv.txn(request), signal);
      } catch (error) {
        signal.throwIfAborted();
        const answer = answerOf(error);
        if (answer) throw answer;
        const applied = await this.#fence(slot, token, signal);
        if (applied !== undefined) return { ok: true, revision: applied };
        if (performance.now() > end) throw noAnswer(error);
        await backoff.wait(signal);
        continue;
      }
      if (response.succeeded) {
        slot.revision = Number(response.header.revision);
        return { ok: true, revision: slot.revision };
      }
      const marker = markerIn(response);
      // Somebody used the marker since: the last process, or an aborted commit that came through after all.
      if (marker.revision === slot.revision) return { ok: false };
      slot.revision = marker.revision;
    }
  }

  /** @returns the revision at which the token was written; undefined when it never was and never will be. */
  async #fence(slot: Slot, token: string, signal: AbortSignal): Promise<number | undefined> {
    for (;;) {
      const fence = this.#token();
      const response = await untilAnswered(this.#client, signal, () =>
        this.#client.raw.kv.txn(this.#marked(slot, fence)),
      );
      if (response.succeeded) {
        slot.revision = Number(response.header.revision);
        return undefined;
      }
      const marker = markerIn(response);
      slot.revision = marker.revision;
      if (marker.value === token) return marker.revision;
      if (marker.value === fence) return undefined;
    }
  }

  /** Writes the token when the marker is as we know it; otherwise reads the marker. */
  #marked({ key, revision }: Slot, token: string): ITxnRequest {
    return {
      compare: [compareOf({ key, modRevision: revision })],
      success: [requestOf({ type: 'put', key, value: token })],
      failure: [{ request_range: { key: Buffer.from(key) } }],
    };
  }
}

function markerIn(response: ITxnResponse): Marker {
  const kv = response.responses[0]?.response_range.kvs[0];
  if (!kv) return { revision: 0, value: undefined };
  const { modRevision, value } = entryOf(kv);
  return { revision: modRevision, value };
}
