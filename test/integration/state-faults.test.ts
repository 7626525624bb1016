import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  elect,
  openEtcdStore,
  startEmbeddedEtcd,
  type EmbeddedEtcd,
  type Store,
} from '../../packages/state/src/index.ts';
import { flakyProxy, type FlakyProxy } from '../../packages/state/src/testing/flaky-proxy.ts';
import { Follower } from '../../packages/state/src/testing/store-suite.ts';

const options = { signal: new AbortController().signal };

describe('a store whose connection is bad', () => {
  let dir: string;
  let etcd: EmbeddedEtcd;
  let proxy: FlakyProxy;
  let store: Store;
  let direct: Store;

  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), 'lxd-ts-state-'));
    etcd = await startEmbeddedEtcd({ dir: join(dir, 'etcd'), ...options });
    const socket = join(dir, 'proxy');
    proxy = await flakyProxy(socket, etcd.endpoints[0]!.replace('unix:', ''));
    const identity = () => ({ writer: randomUUID(), id: randomUUID() });
    store = openEtcdStore({ endpoints: [`unix:${socket}`], callTimeoutMs: 300, ...identity() });
    direct = openEtcdStore({ endpoints: etcd.endpoints, ...identity() });
  });
  afterEach(() => proxy.heal());
  afterAll(async () => {
    await store.close();
    await direct.close();
    await proxy[Symbol.asyncDispose]();
    await etcd.stop();
    await rm(dir, { recursive: true });
  });

  test('recognises a commit that was applied although the answer was lost', async () => {
    const key = '/test/lost-answer';
    await store.get(key, options);
    proxy.swallowAnswers();
    const committing = store.commit([{ key, modRevision: 0 }], [{ type: 'put', key, value: 1 }], options);
    await sleep(700);
    const applied = (await direct.get(key, options))!;
    expect(applied.value).toBe(1);
    proxy.heal();
    expect(await committing).toEqual({ ok: true, revision: applied.modRevision });
    expect(await direct.get(key, options)).toEqual(applied);
  });

  test('commits a lost request again, unless another was faster', async () => {
    const commit = (key: string) =>
      store.commit([{ key, modRevision: 0 }], [{ type: 'put', key, value: 'mine' }], options);
    await store.get('/test/lost-1', options);
    proxy.freeze();
    const first = commit('/test/lost-1');
    const second = commit('/test/lost-2');
    await sleep(400);
    await direct.commit([], [{ type: 'put', key: '/test/lost-2', value: 'theirs' }], options);
    proxy.heal();
    expect(await first).toMatchObject({ ok: true });
    expect(await second).toEqual({ ok: false });
    expect((await direct.get('/test/lost-2', options))?.value).toBe('theirs');
  });

  test('says unavailable when nothing helps', async () => {
    const socket = join(dir, 'nobody');
    const alone = openEtcdStore({ endpoints: [`unix:${socket}`], patienceMs: 500, writer: 'a', id: 'a' });
    await expect(alone.get('/test/a', options)).rejects.toMatchObject({ code: 'unavailable' });
    await expect(alone.commit([], [], options)).rejects.toMatchObject({ code: 'unavailable' });
    await alone.close();
  });

  test('counts exactly while connections break all the time', async () => {
    const key = '/test/counter';
    const created = await direct.commit([], [{ type: 'put', key, value: 0 }], options);
    if (!created.ok) throw new Error('not created');
    using follower = new Follower(store, key, created.revision);
    let counted = 0;
    const done = new AbortController();
    const breaking = (async () => {
      while (!done.signal.aborted) {
        await sleep(20 + 80 * Math.random());
        if (Math.random() < 0.3) proxy.swallowAnswers();
        await sleep(20);
        proxy.heal();
      }
    })();
    const count = async (): Promise<void> => {
      for (let n = 0; n < 25;) {
        const found = (await store.get(key, options))!;
        const put = { type: 'put' as const, key, value: Number(found.value) + 1 };
        const { ok } = await store.commit([{ key, modRevision: found.modRevision }], [put], options);
        if (!ok) continue;
        n++;
        counted++;
      }
    };
    await Promise.all([count(), count(), count(), count()]);
    done.abort();
    await breaking;
    expect((await direct.get(key, options))?.value).toBe(counted);
    await follower.until(() => follower.puts.length >= counted);
    expect(follower.puts.map(({ value }) => value)).toEqual(Array.from({ length: counted }, (_, n) => n + 1));
  });

  test('gives a lease up before it can have ended, and leads no more', async () => {
    const leading = await elect(store, 'faults', { id: 'one', ttlSeconds: 2, ...options });
    await sleep(1500);
    expect(leading.lost.aborted).toBe(false);
    proxy.freeze();
    const next = elect(direct, 'faults', { id: 'two', ttlSeconds: 2, ...options });
    let stoppedAt = 0;
    leading.lost.addEventListener('abort', () => (stoppedAt = performance.now()));
    await using won = await next;
    expect(stoppedAt).toBeGreaterThan(0);
    expect(stoppedAt).toBeLessThan(performance.now());
    proxy.heal();
    const late = [{ type: 'put' as const, key: '/test/led', value: 1 }];
    expect(await store.commit([leading.guard], late, options)).toEqual({ ok: false });
    expect((await direct.commit([won.guard], late, options)).ok).toBe(true);
    await leading[Symbol.asyncDispose]();
  });
});
