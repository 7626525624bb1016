import { randomBytes } from 'node:crypto';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { InstanceSpec, PoolSpec } from '@lxd-ts/core';
import { linuxHost } from '@lxd-ts/host';
import { openLiblxc } from '@lxd-ts/liblxc';
import {
  bulkName,
  createAuthority,
  issue,
  openBulkPort,
  openMemberPort,
  type Authority,
  type ReceiveRequest,
} from '@lxd-ts/rpc';
import { storageDrivers } from '@lxd-ts/storage';
import type { AgentContext } from '../../packages/agent/src/context.ts';
import { Migrations } from '../../packages/agent/src/migration/migrations.ts';
import { Pools } from '../../packages/agent/src/pools.ts';
import { differences, makeOddTree } from '../support/odd-tree.ts';

const wait = { signal: AbortSignal.timeout(600_000) };
const host = linuxHost();
const liblxc = openLiblxc({ lxcpath: '/nowhere', buildDir: resolve('packages/liblxc/build') });

interface Member {
  pool: PoolSpec & { config: Record<string, string> };
  pools: Pools;
  migrations: Migrations;
  spec: (name: string) => InstanceSpec;
  volume: (name: string) => string;
}

let place: string;
let authority: Authority;
const cleanUp: (() => PromiseLike<unknown>)[] = [];

async function makeMember(name: string, driver: string): Promise<Member> {
  const dir = join(place, name);
  mkdirSync(dir);
  const port = await openMemberPort('127.0.0.1:0');
  cleanUp.push(() => port[Symbol.asyncDispose]());
  const bulk = openBulkPort(
    port.address,
    await issue(authority, { commonName: name, role: 'member' }, new Date(), 1),
  );
  port.route(bulkName, bulk.accept);
  const pools = new Pools(storageDrivers, { host, dir, overlayProgram: '', quotaProgram: '/bin/false' });
  const asked = { name: 'p1', driver, config: driver === 'btrfs' ? { size: '400MiB' } : {} };
  const { config } = await pools.create(asked, wait);
  const pool: Member['pool'] = { ...asked, config: { ...config } };
  cleanUp.push(() => pools.close(pool, wait));
  let id = 0;
  // What a migration needs of an agent.
  const files = { without: (_of: InstanceSpec, work: () => Promise<unknown>) => work() };
  const randomId = () => `id${id++}`;
  const context = { dir, host, liblxc, pools, bulk, files, randomId } as unknown as AgentContext;
  const spec = (of: string): InstanceSpec => ({
    project: 'default',
    name: of,
    type: 'container',
    architecture: 'x86_64',
    ephemeral: false,
    config: {},
    devices: { root: { type: 'disk', path: '/', pool: 'p1' } },
    pools: { p1: pool },
    networks: {},
  });
  const volume = (of: string) => join(dir, 'storage-pools/p1/containers', of);
  return { pool, pools, migrations: new Migrations(context), spec, volume };
}

async function create({ pools, pool }: Member, name: string): Promise<void> {
  const opened = await pools.open(pool, wait);
  await opened.createVolume({ type: 'container', project: 'default', name }, makeOddTree, wait);
}

/** As a coordinator has it done: one offers, both are told. */
async function move(from: Member, to: Member, name: string, request: Partial<ReceiveRequest> = {}) {
  const tickets = from.migrations.offer();
  const streams = { kind: 'direct', tickets } as const;
  const [received, sent] = await Promise.allSettled([
    to.migrations.receive(to.spec(name), { confirm: true, ...request }, streams, wait),
    from.migrations.send(
      from.spec(name),
      { snapshots: [], running: false, index: { of: name } },
      streams,
      wait,
    ),
  ]);
  if (received.status === 'rejected') throw received.reason as Error;
  if (sent.status === 'rejected') throw sent.reason as Error;
  return received.value;
}

beforeAll(async () => {
  place = mkdtempSync('/tmp/lxd-ts-members-');
  chmodSync(place, 0o711);
  authority = await createAuthority(new Date());
});

afterAll(async () => {
  for (const undo of cleanUp.reverse()) await undo();
  rmSync(place, { recursive: true });
});

test.each([
  ['btrfs', 'btrfs'],
  ['btrfs', 'dir'],
  ['dir', 'btrfs'],
])('from a member with %s to one with %s, past the control plane', async (one, other) => {
  const from = await makeMember(`from-${one}-${other}`, one);
  const to = await makeMember(`to-${one}-${other}`, other);
  await create(from, 'c1');
  expect(await move(from, to, 'c1')).toEqual({ snapshots: [], gone: [], index: { of: 'c1' } });
  expect(differences(from.volume('c1'), to.volume('c1'))).toBe('');
  for (const member of [from, to]) expect(readdirSync(join(member.volume('c1'), '..'))).toEqual(['c1']);
  await expect(move(from, to, 'c1')).rejects.toMatchObject({ code: 'conflict' });
});

test('an image that both have is where a volume begins when rsync brings it', async () => {
  const from = await makeMember('from-image', 'dir');
  const to = await makeMember('to-image', 'btrfs');
  await create(from, 'c1');
  const fingerprint = 'f'.repeat(64);
  const opened = await to.pools.open(to.pool, wait);
  // A socket's path must be short, and an image's is not.
  const tree = join(place, 'tree');
  mkdirSync(tree);
  await makeOddTree(tree);
  const fill = async (directory: string) => {
    await host.run(['cp', '-a', '--', `${tree}/.`, directory], wait);
  };
  await opened.createVolume({ type: 'image', project: 'default', name: fingerprint }, fill, wait);
  await move(from, to, 'c1', { baseImage: fingerprint });
  expect(differences(from.volume('c1'), to.volume('c1'))).toBe('');
  expect(existsSync(join(to.volume('c1'), 'rootfs/etc/hostname'))).toBe(true);
});

test.each(['btrfs', 'dir'])(
  'no more than "rsync.bwlimit" of the source goes through in a second: %s',
  async (driver) => {
    const from = await makeMember(`from-limit-${driver}`, driver);
    const to = await makeMember(`to-limit-${driver}`, driver);
    const opened = await from.pools.open(from.pool, wait);
    const fill = (directory: string) =>
      writeFile(join(directory, 'random'), randomBytes(8 * 1024 * 1024)).then(() => undefined);
    await opened.createVolume({ type: 'container', project: 'default', name: 'c1' }, fill, wait);
    from.pool.config['rsync.bwlimit'] = '4MiB';
    const begin = performance.now();
    await move(from, to, 'c1');
    // However slow the machine is, it is never quicker; rsync counts in steps.
    expect(performance.now() - begin).toBeGreaterThan(1500);
    expect(readFileSync(join(to.volume('c1'), 'random'))).toHaveLength(8 * 1024 * 1024);
  },
);
