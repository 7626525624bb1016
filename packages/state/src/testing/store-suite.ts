import type { Entry, Lease, Store, WatchBatch } from '../store.ts';

/** A store to test, and the trouble the suite makes for it. */
export interface Harness {
  store: Store;
  /** One more client of the same data. */
  open(): Promise<Store>;
  /** Forgets the history up to now. */
  compact(): Promise<void>;
  /** Makes the lease end as if its holder had died. */
  expire(lease: Lease): Promise<void>;
  close(): Promise<void>;
}

const patience = 20_000;

/** Collects what a watch delivers. */
export class Follower implements Disposable {
  readonly batches: WatchBatch[] = [];
  readonly #ending = new AbortController();
  readonly #heard = new EventTarget();
  readonly done: Promise<void>;

  constructor(store: Store, prefix: string, fromRevision: number) {
    const watch = store.watch(prefix, { fromRevision, signal: this.#ending.signal });
    this.done = (async () => {
      for await (const batch of watch) {
        this.batches.push(batch);
        this.#heard.dispatchEvent(new Event('batch'));
      }
    })();
  }

  get puts(): Entry[] {
    return this.batches.flatMap((batch) => batch.puts);
  }

  get deletes(): string[] {
    return this.batches.flatMap((batch) => batch.deletes.map(({ key }) => key));
  }

  async until(condition: () => boolean): Promise<void> {
    const deadline = AbortSignal.timeout(patience);
    while (!condition()) {
      await new Promise<void>((resolve, reject) => {
        this.#heard.addEventListener('batch', () => resolve(), { once: true });
        deadline.addEventListener('abort', () => reject(deadline.reason as Error), { once: true });
      });
    }
  }

  [Symbol.dispose](): void {
    this.#ending.abort();
  }
}

let prefixes = 0;

/** What every store must do. */
export function storeSuite(name: string, setup: () => Promise<Harness>): void {
  describe(`store: ${name}`, () => {
    let harness: Harness;
    let store: Store;
    let prefix: string;
    const options = { signal: new AbortController().signal };

    beforeAll(async () => {
      harness = await setup();
      store = harness.store;
    });
    beforeEach(() => {
      prefix = `/test/${process.pid}/${++prefixes}/`;
    });
    afterAll(() => harness.close());

    const put = async (key: string, value: unknown): Promise<number> => {
      const result = await store.commit([], [{ type: 'put', key: prefix + key, value }], options);
      if (!result.ok) throw new Error('An unguarded put was refused');
      return result.revision;
    };

    test('reads what was written, with its revisions', async () => {
      const first = await put('a', { n: 1 });
      const second = await put('a', { n: 2, text: 'ä/€' });
      expect(second).toBeGreaterThan(first);
      expect(await store.get(`${prefix}a`, options)).toEqual({
        key: `${prefix}a`,
        value: { n: 2, text: 'ä/€' },
        createRevision: first,
        modRevision: second,
      });
      expect(await store.get(`${prefix}b`, options)).toBeUndefined();
    });

    test('lists a prefix in order, and nothing beside it', async () => {
      for (const key of ['b/2', 'a/1', 'b/1', 'c']) await put(key, key);
      const { entries, revision } = await store.list(`${prefix}b/`, options);
      expect(entries.map(({ value }) => value)).toEqual(['b/1', 'b/2']);
      expect(revision).toBeGreaterThanOrEqual(entries[0]!.modRevision);
    });

    test('lists more than one page', async () => {
      const keys = Array.from({ length: 2500 }, (_, n) => `${prefix}many/${String(n).padStart(5, '0')}`);
      for (let at = 0; at < keys.length; at += 100) {
        const changes = keys.slice(at, at + 100).map((key) => ({ type: 'put' as const, key, value: at }));
        await store.commit([], changes, options);
      }
      const { entries } = await store.list(`${prefix}many/`, options);
      expect(entries.map(({ key }) => key)).toEqual(keys);
      await store.commit([], [{ type: 'delete-prefix', prefix: `${prefix}many/` }], options);
      expect((await store.list(`${prefix}many/`, options)).entries).toEqual([]);
    });

    test('changes nothing when a guard does not hold', async () => {
      const revision = await put('a', 1);
      const key = `${prefix}a`;
      const attempt = (modRevision: number) =>
        store.commit(
          [{ key, modRevision }],
          [
            { type: 'put', key, value: 2 },
            { type: 'put', key: `${prefix}b`, value: 2 },
          ],
          options,
        );
      expect(await attempt(revision - 1)).toEqual({ ok: false });
      expect(await attempt(0)).toEqual({ ok: false });
      expect(await store.get(`${prefix}b`, options)).toBeUndefined();
      expect(await attempt(revision)).toMatchObject({ ok: true });
      expect((await store.get(`${prefix}b`, options))?.value).toBe(2);
    });

    test('guards absence and the creation', async () => {
      const key = `${prefix}a`;
      const create = () => store.commit([{ key, modRevision: 0 }], [{ type: 'put', key, value: 1 }], options);
      const created = await create();
      expect(created.ok).toBe(true);
      expect(await create()).toEqual({ ok: false });
      await put('a', 2);
      const { createRevision } = (await store.get(key, options))!;
      const guarded = (revision: number) =>
        store.commit(
          [{ key, createRevision: revision }],
          [{ type: 'put', key: `${prefix}b`, value: 1 }],
          options,
        );
      expect((await guarded(createRevision)).ok).toBe(true);
      expect((await guarded(createRevision + 1)).ok).toBe(false);
    });

    test('lets exactly one of many racers win', async () => {
      const revision = await put('counter', 0);
      const key = `${prefix}counter`;
      const racers = Array.from({ length: 20 }, (_, n) =>
        store.commit([{ key, modRevision: revision }], [{ type: 'put', key, value: n }], options),
      );
      const won = (await Promise.all(racers)).filter(({ ok }) => ok);
      expect(won).toHaveLength(1);
    });

    test('refuses a transaction that changes a key twice', async () => {
      const key = `${prefix}a`;
      const change = { type: 'put' as const, key, value: 1 };
      await expect(store.commit([], [change, change], options)).rejects.toMatchObject({ code: 'internal' });
    });

    test('watches what comes after a revision, in order', async () => {
      const from = await put('a', 1);
      await put('a', 2);
      using follower = new Follower(store, prefix, from);
      await store.commit([], [{ type: 'delete', key: `${prefix}a` }], options);
      await put('b', 3);
      const last = await put('b', 4);
      await follower.until(() => follower.puts.some(({ value }) => value === 4));
      expect(follower.puts.map(({ value }) => value)).toEqual([2, 3, 4]);
      expect(follower.deletes).toEqual([`${prefix}a`]);
      expect(follower.batches.at(-1)!.revision).toBeGreaterThanOrEqual(last);
      expect(follower.batches.every(({ reset }) => !reset)).toBe(true);
    });

    test('ends a watch when it is aborted', async () => {
      const follower = new Follower(store, prefix, await put('a', 1));
      follower[Symbol.dispose]();
      await follower.done;
    });

    test('delivers a transaction in one batch', async () => {
      using follower = new Follower(store, prefix, await put('a', 1));
      const keys = Array.from({ length: 100 }, (_, n) => `${prefix}${n}`);
      const changes = keys.map((key) => ({ type: 'put' as const, key, value: 1 }));
      await store.commit([], changes, options);
      await follower.until(() => follower.puts.length > 0);
      expect(follower.batches[0]!.puts).toHaveLength(100);
    });

    test('watches by a fresh listing when the history is gone', async () => {
      const from = await put('a', 1);
      await put('b', 2);
      await store.commit([], [{ type: 'delete', key: `${prefix}a` }], options);
      await put('elsewhere', 0);
      await harness.compact();
      using follower = new Follower(store, prefix, from);
      await follower.until(() => follower.batches.length > 0);
      expect(follower.batches[0]).toMatchObject({ reset: true });
      expect(follower.puts.map(({ value }) => value)).toEqual([2, 0]);
      await put('c', 3);
      await follower.until(() => follower.puts.some(({ value }) => value === 3));
    });

    test('delivers a backlog of 12 MB whole', async () => {
      const from = await put('start', 0);
      const text = 'x'.repeat(100_000);
      for (let n = 0; n < 120; n++) await put(`big/${n}`, { n, text });
      using follower = new Follower(store, prefix, from);
      await follower.until(() => follower.puts.length >= 120);
      expect(follower.puts.map(({ value }) => (value as { n: number }).n)).toEqual(
        Array.from({ length: 120 }, (_, n) => n),
      );
    });

    test('deletes the keys of a lease when it ends', async () => {
      const key = `${prefix}leased`;
      const lease = await store.lease(2, options);
      await store.commit([], [{ type: 'put', key, value: 1, lease }], options);
      expect(lease.lost.aborted).toBe(false);
      await lease[Symbol.asyncDispose]();
      expect(lease.lost.aborted).toBe(true);
      expect(await store.get(key, options)).toBeUndefined();
    });

    test('tells the holder of a lease that it is lost', async () => {
      const lease = await store.lease(2, options);
      const key = `${prefix}leased`;
      await store.commit([], [{ type: 'put', key, value: 1, lease }], options);
      await harness.expire(lease);
      if (!lease.lost.aborted) {
        await new Promise((resolve) => lease.lost.addEventListener('abort', resolve, { once: true }));
      }
      expect(await store.get(key, options)).toBeUndefined();
      const late = store.commit([], [{ type: 'put', key, value: 2, lease }], options);
      await expect(late).rejects.toMatchObject({ code: 'not-found' });
    });

    test('shows one client what another wrote', async () => {
      const other = await harness.open();
      const revision = await put('a', 1);
      expect((await other.get(`${prefix}a`, options))?.modRevision).toBe(revision);
      using follower = new Follower(other, prefix, revision);
      await put('a', 2);
      await follower.until(() => follower.puts.length > 0);
      if (other !== store) await other.close();
    });

    test('stops when it is told to', async () => {
      await expect(store.get(`${prefix}a`, { signal: AbortSignal.abort() })).rejects.toThrow();
    });
  });
}
