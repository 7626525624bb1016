import { execFileSync, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  elect,
  openEtcdStore,
  openRecords,
  startEmbeddedEtcd,
  type EmbeddedEtcd,
  type Store,
} from '../../packages/state/src/index.ts';
import { Etcd3 } from '../../packages/state/node_modules/etcd3/lib/index.js';
import { instance, recordsSuite } from '../../packages/state/src/testing/records-suite.ts';
import { Follower, storeSuite, type Harness } from '../../packages/state/src/testing/store-suite.ts';

const options = { signal: new AbortController().signal };

async function scratch(): Promise<AsyncDisposable & { path: string }> {
  const path = await mkdtemp(join(tmpdir(), 'lxd-ts-state-'));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true }) };
}

const storeOf = (etcd: EmbeddedEtcd): Store =>
  openEtcdStore({ endpoints: etcd.endpoints, writer: 'test', id: randomUUID() });

async function setup(): Promise<Harness> {
  const directory = await scratch();
  const etcd = await startEmbeddedEtcd({ dir: join(directory.path, 'etcd'), ...options });
  const raw = new Etcd3({ hosts: etcd.endpoints });
  const store = storeOf(etcd);
  return {
    store,
    open: async () => storeOf(etcd),
    async compact() {
      const { header } = await raw.kv.range({ key: Buffer.from('x') });
      await raw.kv.compact({ revision: header.revision, physical: true });
    },
    async expire(lease) {
      await raw.leaseClient.leaseRevoke({ ID: lease.id });
    },
    async close() {
      await store.close();
      raw.close();
      await etcd.stop();
      await directory[Symbol.asyncDispose]();
    },
  };
}

storeSuite('etcd', setup);
recordsSuite('etcd', setup);

describe('embedded etcd', () => {
  test('starts fast, only for root, and stops', async () => {
    await using directory = await scratch();
    const dir = join(directory.path, 'etcd');
    let start = performance.now();
    let etcd = await startEmbeddedEtcd({ dir, ...options });
    process.stdout.write(`etcd: first start ${(performance.now() - start).toFixed(0)} ms\n`);
    expect((await stat(dir)).mode & 0o777).toBe(0o700);
    expect((await stat(join(dir, 'data'))).mode & 0o777).toBe(0o700);
    start = performance.now();
    await etcd.stop();
    process.stdout.write(`etcd: stop ${(performance.now() - start).toFixed(0)} ms\n`);
    expect(() => process.kill(etcd.pid, 0)).toThrow();
    start = performance.now();
    etcd = await startEmbeddedEtcd({ dir, ...options });
    process.stdout.write(`etcd: second start ${(performance.now() - start).toFixed(0)} ms\n`);
    await etcd.stop();
  });

  test('is restarted when it is killed; nothing is lost, watches go on', async () => {
    await using directory = await scratch();
    const trouble: string[] = [];
    const etcd = await startEmbeddedEtcd({
      dir: join(directory.path, 'etcd'),
      ...options,
      onTrouble: ({ message }) => trouble.push(message),
    });
    const store = storeOf(etcd);
    try {
      await using records = await openRecords(store, options);
      using follower = new Follower(store, '/lxd-ts/v1/records/instances/', 1);
      const committed: string[] = [];
      const stop = new AbortController();
      const writing = (async () => {
        for (let n = 0; !stop.signal.aborted; n++) {
          const one = `c${n}`;
          await records.transaction().create('instances', ['default', one], instance(one)).commit(options);
          committed.push(one);
        }
      })();
      for (let kill = 0; kill < 3; kill++) {
        await sleep(300);
        const before = etcd.pid;
        process.kill(before, 'SIGKILL');
        const start = performance.now();
        const count = committed.length;
        while (committed.length < count + 2) await sleep(5);
        process.stdout.write(
          `etcd: commits again ${(performance.now() - start).toFixed(0)} ms after kill -9\n`,
        );
        expect(etcd.pid).not.toBe(before);
      }
      stop.abort();
      await writing;
      expect(trouble).toHaveLength(3);
      await using fresh = await openRecords(store, options);
      expect(fresh.list('instances')).toHaveLength(committed.length);
      expect(records.list('instances')).toHaveLength(committed.length);
      await follower.until(() => follower.puts.length >= committed.length);
      expect(follower.puts.map(({ value }) => (value as { name: string }).name)).toEqual(committed);
    } finally {
      await store.close();
      await etcd.stop();
    }
  });

  test('is adopted by the next daemon when the last one was killed', async () => {
    await using directory = await scratch();
    const dir = join(directory.path, 'etcd');
    const daemon = `
      const { startEmbeddedEtcd } = await import(${JSON.stringify(join(__dirname, '../../packages/state/src/index.ts'))});
      const { signal } = new AbortController();
      console.log((await startEmbeddedEtcd({ dir: ${JSON.stringify(dir)}, signal })).pid);`;
    const first = spawn(process.execPath, ['--input-type=module', '-e', daemon], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [line] = (await once(first.stdout, 'data')) as [Buffer];
    const pid = Number(line.toString());
    first.kill('SIGKILL');
    await once(first, 'exit');
    const second = await startEmbeddedEtcd({ dir, ...options });
    expect(second).toMatchObject({ pid, adopted: true });
    const store = storeOf(second);
    await store.commit([], [{ type: 'put', key: '/test/a', value: 1 }], options);
    await store.close();
    await second.stop();
    const third = await startEmbeddedEtcd({ dir, ...options });
    expect(third.adopted).toBe(false);
    await third.stop();
  });

  test.each([
    ['database', 'data/member/snap/db'],
    ['log', 'data/member/wal/0000000000000000-0000000000000000.wal'],
  ])('says what to do about a damaged %s', async (_what, file) => {
    await using directory = await scratch();
    const dir = join(directory.path, 'etcd');
    const etcd = await startEmbeddedEtcd({ dir, ...options });
    await etcd.stop();
    await writeFile(join(dir, file), Buffer.alloc(65_536, 7));
    const failed = startEmbeddedEtcd({ dir, ...options });
    await expect(failed).rejects.toMatchObject({ code: 'unavailable' });
    await expect(failed).rejects.toThrow(`The cluster database in ${dir}/data is damaged`);
  });

  test('says what to install when there is no etcd', async () => {
    await using directory = await scratch();
    const failed = startEmbeddedEtcd({ dir: directory.path, ...options, binary: '/usr/bin/no-etcd' });
    await expect(failed).rejects.toThrow('etcd-server');
  });
});

describe('election', () => {
  let harness: Harness;
  beforeAll(async () => {
    harness = await setup();
  });
  afterAll(() => harness.close());

  test('lets one lead at a time, and the next when its lease is revoked', async () => {
    const candidate = (id: string) => ({ id, ttlSeconds: 2, ...options });
    const first = await elect(harness.store, 'cluster', candidate('one'));
    let secondLeads = false;
    const second = elect(harness.store, 'cluster', candidate('two')).then((won) => {
      secondLeads = true;
      return won;
    });
    const guarded = (guard: typeof first.guard) =>
      harness.store.commit([guard], [{ type: 'put', key: '/test/led', value: 1 }], options);
    expect((await guarded(first.guard)).ok).toBe(true);
    await sleep(2500);
    expect(secondLeads).toBe(false);
    expect(first.lost.aborted).toBe(false);

    const raw = await harness.store.get(first.guard.key, options);
    expect(raw?.value).toEqual({ id: 'one' });
    await harness.store.commit([], [{ type: 'delete', key: first.guard.key }], options);
    await using next = await second;
    await sleep(200);
    expect(first.lost.aborted).toBe(true);
    expect((await guarded(first.guard)).ok).toBe(false);
    expect((await guarded(next.guard)).ok).toBe(true);
    await first[Symbol.asyncDispose]();
    expect(next.lost.aborted).toBe(false);
  });
});

test('uses an existing cluster over mutual TLS', async () => {
  await using directory = await scratch();
  const dir = directory.path;
  const openssl = (...args: string[]) => execFileSync('openssl', args, { cwd: dir, stdio: 'ignore' });
  const certificate = [
    'req',
    '-x509',
    '-newkey',
    'ec',
    '-pkeyopt',
    'ec_paramgen_curve:P-256',
    '-nodes',
    '-days',
    '1',
  ];
  openssl(
    ...certificate,
    '-subj',
    '/CN=test',
    '-addext',
    'subjectAltName=IP:127.0.0.1',
    '-keyout',
    'key',
    '-out',
    'crt',
  );
  const port = 20_000 + (process.pid % 10_000);
  const url = `https://127.0.0.1:${port}`;
  const secure = ['--cert-file=crt', '--key-file=key', '--trusted-ca-file=crt', '--client-cert-auth'];
  const etcd = spawn(
    'etcd',
    [
      ...secure,
      `--listen-client-urls=${url}`,
      `--advertise-client-urls=${url}`,
      '--listen-peer-urls=unix://localhost:2',
    ],
    { cwd: dir, stdio: 'ignore' },
  );
  const [ca, key] = await Promise.all([readFile(join(dir, 'crt')), readFile(join(dir, 'key'))]);
  const store = (tls: { ca: Buffer; cert?: Buffer; key?: Buffer }, patienceMs: number) =>
    openEtcdStore({ endpoints: [url], tls, patienceMs, writer: 'test', id: randomUUID() });
  const trusted = store({ ca, cert: ca, key }, 20_000);
  const stranger = store({ ca }, 500);
  try {
    const put = [{ type: 'put' as const, key: '/test/a', value: 1 }];
    expect(await trusted.commit([], put, options)).toMatchObject({ ok: true });
    await expect(stranger.commit([], put, options)).rejects.toMatchObject({ code: 'unavailable' });
  } finally {
    await Promise.all([trusted.close(), stranger.close()]);
    etcd.kill('SIGKILL');
    await once(etcd, 'exit');
  }
});
