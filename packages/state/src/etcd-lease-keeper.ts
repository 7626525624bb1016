import type { ClientDuplexStream } from '@grpc/grpc-js';
import type { ILeaseKeepAliveRequest, ILeaseKeepAliveResponse } from 'etcd3';
import { answerOf, streamOptions, untilAnswered, type EtcdClient } from './etcd-client.ts';
import type { Lease } from './store.ts';

type KeepAlive = ClientDuplexStream<ILeaseKeepAliveRequest, ILeaseKeepAliveResponse>;

interface Held {
  id: string;
  ttlMs: number;
  lost: AbortController;
  /** When the requests without an answer yet were sent, oldest first. */
  sent: number[];
  expiry: NodeJS.Timeout;
  beat: NodeJS.Timeout;
}

/** Reconnecting is tried this often. */
const reconnectMs = 100;

/** Keeps all leases of a store alive over one stream, and gives each up before the server can have ended it. */
export class EtcdLeaseKeeper {
  readonly #client: EtcdClient;
  readonly #held = new Map<string, Held>();
  #stream: KeepAlive | undefined;
  #connecting = false;

  constructor(client: EtcdClient) {
    this.#client = client;
  }

  async grant(ttlSeconds: number, signal: AbortSignal): Promise<Lease> {
    let sentAt = 0;
    const granted = await untilAnswered(this.#client, signal, () => {
      sentAt = performance.now();
      return this.#client.raw.leaseClient.leaseGrant({ TTL: ttlSeconds });
    });
    const ttlMs = Number(granted.TTL) * 1000;
    const held: Held = {
      id: granted.ID,
      ttlMs,
      lost: new AbortController(),
      sent: [],
      expiry: setTimeout(() => undefined),
      beat: setInterval(() => this.#beat(held), ttlMs / 3),
    };
    this.#held.set(held.id, held);
    this.#extend(held, sentAt);
    void this.#connect();
    return {
      id: held.id,
      lost: held.lost.signal,
      [Symbol.asyncDispose]: async () => {
        this.#drop(held);
        try {
          await this.#client.raw.leaseClient.leaseRevoke({ ID: held.id });
        } catch (error) {
          // Without an answer it ends by itself, when its time is over.
          const answer = answerOf(error);
          if (answer && answer.code !== 'not-found' && answer.code !== 'unavailable') throw answer;
        }
      },
    };
  }

  close(): void {
    for (const held of this.#held.values()) this.#drop(held);
  }

  #drop(held: Held): void {
    clearTimeout(held.expiry);
    clearInterval(held.beat);
    this.#held.delete(held.id);
    held.lost.abort();
    if (this.#held.size === 0) this.#disconnect();
  }

  /** The server counts from when it got the request, which is after we sent it; a quarter is for slow timers here. */
  #extend(held: Held, sentAt: number): void {
    clearTimeout(held.expiry);
    const left = sentAt + held.ttlMs * 0.75 - performance.now();
    held.expiry = setTimeout(() => this.#drop(held), Math.max(left, 0));
  }

  #beat(held: Held): void {
    if (!this.#stream) return void this.#connect();
    held.sent.push(performance.now());
    this.#stream.write({ ID: held.id });
  }

  #answered({ ID, TTL }: ILeaseKeepAliveResponse): void {
    const held = this.#held.get(ID);
    if (!held) return;
    const sentAt = held.sent.shift();
    if (Number(TTL) <= 0) this.#drop(held);
    else if (sentAt !== undefined) this.#extend(held, sentAt);
  }

  async #connect(): Promise<void> {
    if (this.#stream || this.#connecting || this.#held.size === 0) return;
    this.#connecting = true;
    try {
      const stream = (await this.#client.raw.leaseClient.leaseKeepAlive(
        streamOptions,
      )) as unknown as KeepAlive;
      const end = (): void => {
        if (this.#stream !== stream) return;
        this.#stream = undefined;
        setTimeout(() => void this.#connect(), reconnectMs).unref();
      };
      this.#stream = stream;
      stream.on('data', (response: ILeaseKeepAliveResponse) => {
        // A late answer on an old stream would be taken for one to a newer request.
        if (this.#stream === stream) this.#answered(response);
      });
      stream.on('error', end);
      stream.on('end', end);
      for (const held of this.#held.values()) {
        held.sent = [];
        this.#beat(held);
      }
    } catch {
      // The next beat tries again.
    } finally {
      this.#connecting = false;
    }
    if (this.#held.size === 0) this.#disconnect();
  }

  #disconnect(): void {
    const stream = this.#stream;
    this.#stream = undefined;
    stream?.cancel();
  }
}
