import type { Duplex } from 'node:stream';
import { SftpClient } from '@lxd-ts/rpc';

/** How long a session is kept after its last use: clients that copy trees come back within moments. */
const keptMs = 2_000;

interface Shared {
  client: Promise<SftpClient>;
  users: number;
  idle?: NodeJS.Timeout;
}

export interface Lease extends Disposable {
  client: SftpClient;
  /** Whoever comes next gets another session: this one may hang in something. It ends with the last who uses it. */
  abandon(): void;
}

/** One session per instance for whoever asks one thing at a time of its files, for as long as somebody does. */
export class FileSessions implements Disposable {
  readonly #shared = new Map<string, Shared>();

  /** @param open makes one when there is none; it must not depend on the caller */
  async acquire(key: string, open: () => Promise<Duplex>): Promise<Lease> {
    const shared = this.#shared.get(key) ?? this.#begin(key, open);
    shared.users += 1;
    clearTimeout(shared.idle);
    try {
      const client = await shared.client;
      let released = false;
      const release = () => {
        if (!released) this.#release(key, shared);
        released = true;
      };
      const abandon = () => {
        this.#forget(key, shared);
        release();
      };
      return { client, abandon, [Symbol.dispose]: release };
    } catch (error) {
      this.#forget(key, shared);
      throw error;
    }
  }

  #begin(key: string, open: () => Promise<Duplex>): Shared {
    const shared: Shared = { client: open().then((stream) => SftpClient.open(stream)), users: 0 };
    this.#shared.set(key, shared);
    shared.client.then(
      (client) => void client.closed.then(() => this.#forget(key, shared)),
      () => undefined,
    );
    return shared;
  }

  #forget(key: string, shared: Shared): void {
    if (this.#shared.get(key) === shared) this.#shared.delete(key);
  }

  #release(key: string, shared: Shared): void {
    shared.users -= 1;
    if (shared.users > 0) return;
    const close = () => {
      this.#forget(key, shared);
      void shared.client.then((client) => client.close());
    };
    if (this.#shared.get(key) === shared) shared.idle = setTimeout(close, keptMs).unref();
    else close();
  }

  [Symbol.dispose](): void {
    for (const shared of this.#shared.values()) {
      clearTimeout(shared.idle);
      void shared.client.then(
        (client) => client.close(),
        () => undefined,
      );
    }
    this.#shared.clear();
  }
}
