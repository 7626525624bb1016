import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { idmapFor, type InstanceSpec } from '@lxd-ts/core';
import { fakeHost } from '@lxd-ts/host';
import { openImageStore } from '@lxd-ts/images';
import { FakeContainers, fakeLiblxc } from '@lxd-ts/liblxc';
import { networkDrivers } from '@lxd-ts/network';
import { localBulk, type Agent, type Observation } from '@lxd-ts/rpc';
import { storageDrivers } from '@lxd-ts/storage';
import { createAgent } from './create-agent.ts';

const call = { signal: AbortSignal.timeout(30_000) };

let dir: string;
let containers: FakeContainers;
let failStart: string | undefined;
let duringStart: (() => void) | undefined;
let agents: (Agent & Disposable)[];

const spec: InstanceSpec = {
  project: 'blue',
  name: 'c1',
  type: 'container',
  architecture: 'x86_64',
  ephemeral: false,
  config: { 'limits.memory': '64MiB' },
  devices: {
    root: { type: 'disk', path: '/', pool: 'p1' },
    eth0: { type: 'nic', nictype: 'p2p' },
  },
  pools: { p1: { name: 'p1', driver: 'dir', config: {} } },
  networks: {},
};

/** As after a start of the daemon on what is there. */
async function open(): Promise<Agent> {
  const host = fakeHost(([program, ...args]) => {
    if (program === 'rm') rmSync(args.at(-1) ?? '', { recursive: true, force: true });
    return undefined;
  });
  const liblxc = fakeLiblxc({ containers, failStart: () => (duringStart?.(), failStart) });
  const quiet = () => undefined;
  const agent = await createAgent({
    dir,
    version: '1',
    host,
    liblxc,
    images: await openImageStore({ host, dir, unpacker: '/bin/false' }),
    storageDrivers,
    overlayProgram: '/bin/false',
    quotaProgram: '/bin/false',
    networkDrivers,
    bulk: localBulk(),
    membership: () => Promise.resolve(),
    log: { debug: quiet, info: quiet, warn: quiet, error: quiet },
    forwarder: '/bin/false',
    interceptor: '/bin/false',
    location: () => 'none',
    exportImage: () => Promise.reject(new Error('no images')),
    randomId: () => 'abcd1234',
  });
  agents.push(agent);
  return agent;
}

const volume = () => join(dir, 'storage-pools/p1/containers/blue_c1');
const runState = () => existsSync(join(dir, 'devices/blue_c1/run.json'));
const up = () => [...containers.running.keys()];

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'lxd-ts-agent-'));
  containers = new FakeContainers();
  failStart = undefined;
  duringStart = undefined;
  agents = [];
});
afterEach(() => {
  for (const agent of agents) agent[Symbol.dispose]();
  // Volumes let nobody list them, not even their owner.
  if (existsSync(volume())) chmodSync(volume(), 0o700);
  rmSync(dir, { recursive: true });
});

async function made(): Promise<Agent> {
  const agent = await open();
  await agent.createPool(spec.pools['p1']!, call);
  await agent.createInstance(spec, { type: 'none' }, call);
  return agent;
}

test('the life of an instance leaves nothing', async () => {
  const agent = await made();
  expect(existsSync(join(volume(), 'rootfs'))).toBe(true);
  const started = await agent.startInstance(spec, call);
  expect(started.volatile).toEqual({
    'volatile.eth0.host_name': 'vethabcd1234',
    'volatile.idmap.base': '0',
    'volatile.idmap.next': JSON.stringify(idmapFor({}, 0)),
  });
  expect(up()).toEqual(['blue_c1']);
  expect(runState()).toBe(true);
  const config = readFileSync(join(dir, 'logs/blue_c1/lxc.conf'), 'utf8');
  expect(config).toMatch(/^lxc\.net\.0\.veth\.pair = vethabcd1234$/m);
  expect(config).toMatch(/memory.* = 67108864$/m);
  expect((await agent.startInstance(spec, call)).volatile).toEqual({});

  await expect(agent.deleteInstance(spec, call)).rejects.toThrow(/is running/);
  await expect(agent.renameInstance(spec, 'c2', call)).rejects.toThrow(/is running/);

  const stopped = await agent.stopInstance(spec, { force: true, timeoutMs: 0 }, call);
  expect(stopped.volatile).toEqual({ 'volatile.eth0.host_name': null });
  expect(up()).toEqual([]);
  expect(runState()).toBe(false);

  await agent.deleteInstance(spec, call);
  await agent.deleteInstance(spec, call);
  await agent.deletePool(spec.pools['p1']!, call);
  for (const place of ['containers', 'devices', 'devlxd', 'logs', 'security/seccomp', 'storage-pools'])
    expect([place, readdirSync(join(dir, place))]).toEqual([place, []]);
});

test('a reboot from inside starts it again, with what was configured since; also after a crash in between', async () => {
  const agent = await made();
  await agent.startInstance(spec, call);
  const after = { ...spec, config: { 'limits.memory': '32MiB', 'environment.COLOUR': 'blue' } };
  await agent.updateInstance(spec, after, call);
  const seen = agent.observe(call)[Symbol.asyncIterator]();
  await seen.next();
  const next = async () => (await seen.next()).value as Observation;
  const config = () => readFileSync(join(dir, 'logs/blue_c1/lxc.conf'), 'utf8');

  containers.end('blue_c1', true);
  expect(await next()).toMatchObject({
    cause: 'reboot',
    instance: { status: 'Running' },
    volatile: { 'volatile.eth0.host_name': 'vethabcd1234' },
  });
  expect(config()).toMatch(/^lxc\.environment = COLOUR=blue$/m);
  expect(config()).toMatch(/memory.* = 33554432$/m);
  expect(existsSync(join(dir, 'devices/blue_c1/rebooted'))).toBe(false);

  failStart = 'no luck';
  containers.end('blue_c1', true);
  expect(await next()).toMatchObject({ cause: 'shutdown', instance: { status: 'Stopped' } });
  expect(runState()).toBe(false);
  failStart = undefined;

  await agent.startInstance(spec, call);
  const shown = readdirSync(join(dir, 'devlxd'));
  expect(shown).toHaveLength(1);
  mkdirSync(join(dir, 'devlxd/cut-off'));
  agents.pop()?.[Symbol.dispose]();
  containers.end('blue_c1', true);
  const later = await open();
  expect(readdirSync(join(dir, 'devlxd'))).toEqual(shown);
  await later.restore({ pools: [spec.pools['p1']!], networks: [] }, call);
  expect(up()).toEqual(['blue_c1']);
});

test('a start that fails takes back what it did, and can be tried again', async () => {
  const agent = await made();
  failStart = 'no luck';
  await expect(agent.startInstance(spec, call)).rejects.toThrow('no luck');
  expect(runState()).toBe(false);
  failStart = undefined;
  await agent.startInstance(spec, call);
  expect(up()).toEqual(['blue_c1']);
});

test('an instance that ends by itself is cleared away and told of', async () => {
  const agent = await made();
  await agent.startInstance(spec, call);
  const observations = agent.observe(call)[Symbol.asyncIterator]();
  await observations.next();
  containers.end('blue_c1');
  const { value } = (await observations.next()) as { value: Observation };
  expect(value).toMatchObject({
    kind: 'instance',
    cause: 'shutdown',
    instance: { name: 'c1', status: 'Stopped' },
  });
  expect(runState()).toBe(false);
});

test('after a crash of the daemon: what runs is watched again, what ended is cleared away', async () => {
  const first = await made();
  await first.startInstance(spec, call);
  const second = await open();
  await second.restore({ pools: [], networks: [] }, call);
  const observations = second.observe(call)[Symbol.asyncIterator]();
  expect((await observations.next()).value).toMatchObject({ instances: [{ name: 'c1', status: 'Running' }] });
  agents.shift()?.[Symbol.dispose]();
  containers.end('blue_c1');
  expect((await observations.next()).value).toMatchObject({ cause: 'shutdown' });

  await second.startInstance(spec, call);
  agents.shift()?.[Symbol.dispose]();
  containers.end('blue_c1');
  expect(runState()).toBe(true);
  await (await open()).restore({ pools: [], networks: [] }, call);
  expect(runState()).toBe(false);
});

test('limits change while it runs, and go back to what the kernel has', async () => {
  const agent = await made();
  await agent.startInstance(spec, call);
  const memory = () => {
    const files = containers.running.get('blue_c1')?.cgroup;
    return [files?.get('memory.limit_in_bytes'), files?.get('memory.max')];
  };
  const more = { ...spec, config: { 'limits.memory': '128MiB' } };
  await agent.updateInstance(spec, more, call);
  expect(memory()).toContain('134217728');
  await agent.updateInstance(more, { ...spec, config: {} }, call);
  expect(memory()).not.toContain('134217728');
});

test('a rename moves volume and link; a copy is a volume of its own', async () => {
  const agent = await made();
  await agent.renameInstance(spec, 'c2', call);
  expect(readdirSync(join(dir, 'containers'))).toEqual(['blue_c2']);
  expect(existsSync(volume())).toBe(false);
  const renamed = { ...spec, name: 'c2' };
  mkdirSync(join(dir, 'storage-pools/p1/containers'), { recursive: true });
  await agent.createInstance(spec, { type: 'copy', source: renamed }, call);
  expect(readdirSync(join(dir, 'containers')).sort()).toEqual(['blue_c1', 'blue_c2']);
  await agent.deleteInstance(renamed, call);
  expect(readdirSync(join(dir, 'containers'))).toEqual(['blue_c1']);
});

test('who is in the files of an instance is out before it starts, stops or goes', async () => {
  const agent = await made();
  const changes: (() => Promise<unknown>)[] = [
    () => agent.startInstance(spec, call),
    () => agent.stopInstance(spec, { force: true, timeoutMs: 0 }, call),
    () => agent.restoreSnapshot(spec, 's1', call).catch(() => undefined),
    () => agent.deleteInstance(spec, call),
  ];
  for (const change of changes) {
    const [one, other] = await Promise.all([agent.files(spec, call), agent.files(spec, call)]);
    await change();
    expect([one.destroyed, other.destroyed]).toEqual([true, true]);
  }
});

test('nobody gets into the files while they become others', async () => {
  const agent = await made();
  const order: string[] = [];
  let entering: Promise<void> | undefined;
  duringStart = () => {
    entering = agent.files(spec, call).then((session) => {
      order.push(session.destroyed ? 'out' : 'in');
      session.destroy();
    });
  };
  await agent.startInstance(spec, call).then(() => order.push('started'));
  await entering;
  expect(order).toEqual(['started', 'in']);
});

test('what has no root volume does not start and leaves nothing behind', async () => {
  const agent = await open();
  await agent.createPool(spec.pools['p1']!, call);
  await expect(agent.startInstance(spec, call)).rejects.toMatchObject({ code: 'not-found' });
  expect(runState()).toBe(false);
  await expect(agent.startInstance({ ...spec, devices: {} }, call)).rejects.toThrow(/no root disk/);
});
