import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { createAuthority, issue, type Authority } from '@lxd-ts/rpc';
import {
  openEtcdMembers,
  openEtcdStore,
  peerCommonName,
  startEmbeddedEtcd,
  type EmbeddedEtcd,
  type EtcdMember,
  type EtcdMembers,
  type EtcdPeer,
  type Store,
} from '@lxd-ts/state';
import { freePort } from '../support/free-port.ts';

/** An etcd that starts alone and grows: real processes on the loopback, each with a port for its peers. */
const wait = { signal: AbortSignal.timeout(280_000) };
let dir: string;
let authority: Authority;
const running = new Map<string, EmbeddedEtcd>();
const stores = new Map<string, Store>();
let peers: Record<string, EtcdPeer>;
let members: EtcdMembers;

async function peerOf(name: string): Promise<EtcdPeer> {
  const port = await freePort();
  const subject = { commonName: peerCommonName, role: 'member' as const, addresses: ['127.0.0.1'] };
  const identity = await issue(authority, subject, new Date(), 1);
  return { name, url: `https://127.0.0.1:${port}`, ...identity };
}

async function start(
  name: string,
  how: { peer?: boolean; join?: Record<string, string> } = {},
): Promise<void> {
  const { peer = true, join: cluster } = how;
  const own = peers[name];
  const etcd = await startEmbeddedEtcd({
    dir: join(dir, name),
    signal: wait.signal,
    ...(peer && own ? { peer: own } : {}),
    ...(cluster ? { join: cluster } : {}),
  });
  running.set(name, etcd);
  stores.set(name, openEtcdStore({ endpoints: etcd.endpoints, writer: name, id: name }));
}

async function stop(name: string): Promise<void> {
  await stores.get(name)?.close();
  await running.get(name)?.stop();
  stores.delete(name);
  running.delete(name);
}

const put = async (name: string, key: string, value: string): Promise<void> => {
  const result = await stores.get(name)?.commit([], [{ type: 'put', key, value }], wait);
  if (!result?.ok) throw new Error('not committed');
};
const get = async (name: string, key: string): Promise<unknown> =>
  (await stores.get(name)?.get(key, wait))?.value;

/** etcd takes no new member until all have been in touch for five seconds. */
async function added(url: string): Promise<EtcdMember[]> {
  for (;;) {
    try {
      return await members.addLearner(url, wait);
    } catch (error) {
      wait.signal.throwIfAborted();
      expect(error).toMatchObject({ code: 'unavailable' });
    }
    await sleep(200);
  }
}

/** As the leader does: on paper, then started, then with a vote. */
async function grow(name: string): Promise<void> {
  const url = peers[name]?.url ?? '';
  const all = await added(url);
  const cluster = Object.fromEntries(all.map((one) => [one.url === url ? name : one.name, one.url]));
  const started = start(name, { join: cluster });
  const id = all.find((one) => one.url === url)?.id ?? '';
  while (!(await members.promote(id, wait).catch(() => false))) await sleep(100);
  await started;
}

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'lxd-ts-etcds-'));
  authority = await createAuthority(new Date());
  peers = { a: await peerOf('a'), b: await peerOf('b'), c: await peerOf('c') };
});
afterAll(async () => {
  members.close();
  for (const name of [...running.keys()]) await stop(name);
  rmSync(dir, { recursive: true });
});

test('one that was alone becomes the first of a cluster and keeps what it has', async () => {
  await start('a', { peer: false });
  await put('a', 'before', 'alone');
  await stop('a');
  await start('a');
  expect(await get('a', 'before')).toBe('alone');
  members = openEtcdMembers({ endpoints: running.get('a')?.endpoints ?? [] });
  expect(await members.list(wait)).toMatchObject([{ url: peers['a']?.url, learner: false }]);
});

test('it grows to three, and each answers with what any of them took', async () => {
  await grow('b');
  await grow('c');
  expect((await members.list(wait)).map(({ name, learner }) => [name, learner]).sort()).toEqual([
    ['a', false],
    ['b', false],
    ['c', false],
  ]);
  await put('c', 'from', 'c');
  for (const name of ['a', 'b', 'c']) {
    expect(await get(name, 'before')).toBe('alone');
    expect(await get(name, 'from')).toBe('c');
  }
});

test.each(['a', 'b', 'c'])('kill -9 of %s: the others go on, and it comes back by itself', async (name) => {
  const others = ['a', 'b', 'c'].filter((other) => other !== name);
  const pid = running.get(name)?.pid;
  if (!pid) throw new Error(`${name} does not run`);
  process.kill(pid, 'SIGKILL');
  for (const other of others) await put(other, `without-${name}`, other);
  // Supervised: it is started again, and has what it missed.
  expect(await get(name, `without-${name}`)).toBe(others.at(-1));
});

test('all are stopped and started: nothing is lost', async () => {
  for (const name of ['a', 'b', 'c']) await stop(name);
  await Promise.all(['a', 'b', 'c'].map((name) => start(name)));
  expect(await get('b', 'from')).toBe('c');
  members.close();
  members = openEtcdMembers({ endpoints: running.get('a')?.endpoints ?? [] });
});

test.each([
  ['of another authority', async () => createAuthority(new Date()), peerCommonName],
  ['of a member', () => Promise.resolve(authority), 'm1'],
] as const)('one with a certificate %s is not let in', async (_whose, by, commonName) => {
  const stranger = await by();
  const port = await freePort();
  const subject = { commonName, role: 'member' as const, addresses: ['127.0.0.1'] };
  const identity = await issue(stranger, subject, new Date(), 1);
  const url = `https://127.0.0.1:${port}`;
  const all = await added(url);
  const cluster = Object.fromEntries(all.map((one) => [one.url === url ? 'x' : one.name, one.url]));
  await expect(
    startEmbeddedEtcd({
      dir: join(dir, commonName),
      signal: AbortSignal.timeout(3_000),
      peer: { name: 'x', url, ...identity, authority: authority.certificate },
      join: cluster,
    }),
  ).rejects.toThrow();
  await members.remove(all.find((one) => one.url === url)?.id ?? '', wait);
});

test('one that is removed has no say any more, and the rest goes on', async () => {
  const gone = (await members.list(wait)).find(({ name }) => name === 'c');
  await members.remove(gone?.id ?? '', wait);
  await members.remove(gone?.id ?? '', wait);
  expect(await members.list(wait)).toHaveLength(2);
  await put('b', 'after', 'b');
  expect(await get('a', 'after')).toBe('b');
});
