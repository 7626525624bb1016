import type { Host } from '@lxd-ts/host';

interface Place {
  users: number;
  held: boolean;
  /** The end of what is being done to it. */
  last: Promise<unknown>;
}

/**
 * Counts who uses what a driver mounts, so that the first one opens it and the last one closes it. Pools are opened anew
 * for every call: one of these is shared by all that use the same machine. What is held stays open without users.
 */
export class VolumeUses {
  static readonly #all = new WeakMap<Host, Map<string, VolumeUses>>();
  readonly #places = new Map<string, Place>();

  /** @param what a name of its own for each kind of thing that is opened, e.g. the driver's */
  static of(host: Host, what: string): VolumeUses {
    const known = this.#all.get(host) ?? new Map<string, VolumeUses>();
    this.#all.set(host, known);
    const uses = known.get(what) ?? new VolumeUses();
    known.set(what, uses);
    return uses;
  }

  /** One at a time for each path, uses and holds among them. */
  alone<T>(path: string, work: () => Promise<T>): Promise<T> {
    return this.#alone(path, work);
  }

  #alone<T>(path: string, work: (place: Place) => Promise<T>): Promise<T> {
    const place = this.#places.get(path) ?? { users: 0, held: false, last: Promise.resolve() };
    this.#places.set(path, place);
    const mine = place.last.then(() => work(place));
    const end = mine
      .catch(() => undefined)
      .then(() => {
        const idle = place.last === end && place.users === 0 && !place.held;
        if (idle && this.#places.get(path) === place) this.#places.delete(path);
      });
    place.last = end;
    return mine;
  }

  isOpen(path: string): boolean {
    const place = this.#places.get(path);
    return place !== undefined && (place.users > 0 || place.held);
  }

  isHeld(path: string): boolean {
    return this.#places.get(path)?.held === true;
  }

  /** @param open must bear that it is open already */
  async use(path: string, open: () => Promise<void>, close: () => Promise<void>): Promise<AsyncDisposable> {
    await this.#alone(path, async (place) => {
      if (place.users === 0 && !place.held) await open();
      place.users += 1;
    });
    let ended = false;
    return {
      [Symbol.asyncDispose]: async () => {
        if (ended) return;
        ended = true;
        await this.#alone(path, async (place) => {
          place.users -= 1;
          if (place.users === 0 && !place.held) await close();
        });
      },
    };
  }

  /** @param refuse throws when somebody uses what is not held yet, where that is not to be */
  hold(path: string, open: () => Promise<void>, refuse: () => void = () => undefined): Promise<void> {
    return this.#alone(path, async (place) => {
      if (place.users > 0 && !place.held) refuse();
      if (place.users === 0 && !place.held) await open();
      place.held = true;
    });
  }

  /** Closed when nobody uses it. @param close must bear that it is closed already */
  release(path: string, close: () => Promise<void>): Promise<void> {
    return this.#alone(path, async (place) => {
      if (place.users === 0) await close();
      place.held = false;
    });
  }

  /** Known to be held since before this process. */
  adopt(path: string): Promise<void> {
    return this.#alone(path, (place) => {
      place.held = true;
      return Promise.resolve();
    });
  }
}
