import {
  LxdError,
  toLxdError,
  validators,
  type ConfigSchema,
  type InstanceStatus,
  type PoolSpec,
  type VolumeSpec,
} from '@lxd-ts/core';
import type { OperationRequest, OperationView, Operations } from '@lxd-ts/operations';
import type { Agent, InstanceSource, InstanceStateReport, MemberDescription } from '@lxd-ts/rpc';
import { Hwaddrs } from '../../cluster/hwaddrs.ts';
import { Lanes } from '../../cluster/lanes.ts';
import { noPeers } from '../../cluster/peers.ts';
import { memoryStore, newMember, openRecords, type MemberRole, type Records } from '@lxd-ts/state';
import type { Lifecycle, Services } from '../../services.ts';
import type { Drivers } from '../shared/drivers.ts';

const key = { check: validators.any, description: '' };
const disk: ConfigSchema = { path: key, pool: key, source: key, size: key };
const nic: ConfigSchema = { network: key, name: key, hwaddr: key, nictype: key, parent: key };

export const drivers: Drivers = {
  pool: (driver) =>
    driver === 'dir'
      ? { source: { ...key, memberSpecific: true }, size: { check: validators.unsigned, description: '' } }
      : undefined,
  unpacksImages: (driver) => driver === 'dir',
  blockVolumes: (driver) => driver === 'dir',
  network: (type) =>
    type === 'bridge'
      ? { 'ipv4.address': key, 'ipv4.nat': { check: validators.bool, description: '' } }
      : undefined,
  device: ({ type }) => {
    const schema = type === 'disk' ? disk : type === 'nic' ? nic : undefined;
    return schema && { schema, validate: () => undefined };
  },
};

export interface FakeAgent {
  agent: Agent;
  /** Every call, as `method name`. */
  calls: string[];
  /** Method → what it throws, once. */
  fail: Map<string, Error>;
  /** Volumes that exist. */
  volumes: Set<string>;
  running: Set<string>;
}

/** `POOL:VOLUME[/SNAPSHOT]` */
const nameOf = ({ pool, name, snapshot }: VolumeSpec): string =>
  `${pool.name}:${name}${snapshot === undefined ? '' : `/${snapshot}`}`;

const report = (status: InstanceStatus): InstanceStateReport => ({
  status,
  pid: status === 'Running' ? 42 : 0,
  processes: status === 'Running' ? 1 : 0,
  cpuNanoseconds: 7,
  memory: { usage: 1, usagePeak: 2, swapUsage: 0, swapUsagePeak: 0, total: 0 },
  disk: {},
  network: null,
});

/** An agent that only remembers. Extra methods are put over it. */
export function fakeAgent(more: Partial<Agent> = {}): FakeAgent {
  const calls: string[] = [];
  const fail = new Map<string, Error>();
  const volumes = new Set<string>();
  const running = new Set<string>();
  const call = (method: string, name: string) => {
    calls.push(`${method} ${name}`);
    const error = fail.get(method);
    fail.delete(method);
    if (error) throw error;
  };
  const outcome = { volatile: {} };
  const own = {
    describe: async () => described,
    createInstance: async (spec: { name: string }, source: InstanceSource) => {
      volumes.add(spec.name);
      call('createInstance', `${spec.name} ${source.type}`);
      return outcome;
    },
    deleteInstance: async ({ name }: { name: string }) => {
      call('deleteInstance', name);
      volumes.delete(name);
    },
    renameInstance: async ({ name }: { name: string }, to: string) => {
      call('renameInstance', `${name} ${to}`);
      if (volumes.delete(name)) volumes.add(to);
    },
    updateInstance: async ({ name }: { name: string }) => {
      call('updateInstance', name);
      return outcome;
    },
    createSnapshot: async ({ name }: { name: string }, snapshot: string) => {
      volumes.add(`${name}/${snapshot}`);
      call('createSnapshot', `${name} ${snapshot}`);
    },
    renameSnapshot: async ({ name }: { name: string }, snapshot: string, to: string) => {
      call('renameSnapshot', `${name} ${snapshot} ${to}`);
      if (volumes.delete(`${name}/${snapshot}`)) volumes.add(`${name}/${to}`);
    },
    deleteSnapshot: async ({ name }: { name: string }, snapshot: string) => {
      call('deleteSnapshot', `${name} ${snapshot}`);
      volumes.delete(`${name}/${snapshot}`);
    },
    settleSnapshots: async ({ name }: { name: string }, known: readonly string[]) => {
      call('settleSnapshots', `${name} ${known.join()}`);
      const found = [...volumes].filter((one) => one.startsWith(`${name}/`));
      for (const one of found) if (!known.includes(one.slice(name.length + 1))) volumes.delete(one);
      return known.filter((snapshot) => volumes.has(`${name}/${snapshot}`));
    },
    rebuildInstance: async ({ name }: { name: string }, source: { type: string }) =>
      call('rebuildInstance', `${name} ${source.type}`),
    restoreSnapshot: async ({ name }: { name: string }, snapshot: string) =>
      call('restoreSnapshot', `${name} ${snapshot}`),
    refreshInstance: async (
      { name }: { name: string },
      { source, snapshots = [] }: { source: { name: string }; snapshots?: readonly string[] },
    ) => {
      for (const snapshot of snapshots) volumes.add(`${name}/${snapshot}`);
      call('refreshInstance', `${name} ${source.name} ${snapshots.join()}`);
    },
    deleteRoot: async ({ name }: { name: string }) => call('deleteRoot', name),
    startInstance: async ({ name }: { name: string }) => {
      call('startInstance', name);
      running.add(name);
      return { volatile: { 'volatile.eth0.host_name': 'veth1' } };
    },
    stopInstance: async ({ name }: { name: string }) => {
      call('stopInstance', name);
      running.delete(name);
      return { volatile: { 'volatile.eth0.host_name': null } };
    },
    freezeInstance: async ({ name }: { name: string }) => call('freezeInstance', name),
    unfreezeInstance: async ({ name }: { name: string }) => call('unfreezeInstance', name),
    instanceStates: async (specs: { name: string }[]) => {
      calls.push(`instanceStates ${specs.length}`);
      return specs.map(({ name }) => report(running.has(name) ? 'Running' : 'Stopped'));
    },
    createPool: async ({ name, config }: { name: string; config: object }) => {
      call('createPool', name);
      return { config: { source: `/pools/${name}`, ...config } };
    },
    deletePool: async ({ name }: { name: string }) => call('deletePool', name),
    updatePool: async ({ name }: { name: string }) => call('updatePool', name),
    createVolume: async (volume: VolumeSpec) => {
      call('createVolume', nameOf(volume));
      volumes.add(nameOf(volume));
    },
    copyVolume: async (from: VolumeSpec, to: VolumeSpec, snapshots: readonly string[]) => {
      call('copyVolume', `${nameOf(from)} ${nameOf(to)}`);
      volumes.add(nameOf(to));
      for (const snapshot of snapshots) volumes.add(`${nameOf(to)}/${snapshot}`);
    },
    restoreVolume: async (volume: VolumeSpec, snapshot: string) =>
      call('restoreVolume', `${nameOf(volume)} ${snapshot}`),
    renameVolume: async (from: VolumeSpec, to: VolumeSpec) => {
      call('renameVolume', `${nameOf(from)} ${nameOf(to)}`);
      for (const one of [...volumes]) {
        if (one !== nameOf(from) && !one.startsWith(`${nameOf(from)}/`)) continue;
        volumes.delete(one);
        volumes.add(nameOf(to) + one.slice(nameOf(from).length));
      }
    },
    deleteVolume: async (volume: VolumeSpec) => {
      call('deleteVolume', nameOf(volume));
      const name = nameOf(volume);
      for (const one of [...volumes]) if (one === name || one.startsWith(`${name}/`)) volumes.delete(one);
    },
    scanPool: async ({ name: pool }: { name: string }) =>
      [...volumes]
        .filter((one) => one.startsWith(`${pool}:`) && !one.includes('/'))
        .map((one) => ({
          type: 'custom',
          project: 'default',
          name: one.slice(pool.length + 1),
          snapshots: [...volumes]
            .filter((other) => other.startsWith(`${one}/`))
            .map((other) => other.slice(one.length + 1)),
        })),
    limitVolume: async (volume: VolumeSpec, bytes: number | null) =>
      call('limitVolume', `${nameOf(volume)} ${bytes}`),
    volumeUsage: async () => 7,
    volumeSize: async () => 7 * 8192,
    createNetwork: async ({ name, config }: { name: string; config: object }) => {
      call('createNetwork', name);
      return { config: { 'ipv4.address': '10.0.0.1/24', 'ipv4.nat': 'true', ...config } };
    },
    deleteNetwork: async ({ name }: { name: string }) => call('deleteNetwork', name),
    updateNetwork: async ({ name }: { name: string }) => call('updateNetwork', name),
    hostInterfaces: async () => [{ name: 'lo', type: 'loopback' }],
    deleteImageVolume: async (pool: PoolSpec, fingerprint: string) =>
      call('deleteImageVolume', `${pool.name} ${fingerprint.slice(0, 4)}`),
    deleteImage: async (fingerprint: string) => call('deleteImage', fingerprint.slice(0, 4)),
    ...more,
  };
  return { agent: own as unknown as Agent, calls, fail, volumes, running };
}

const described = {
  architectures: ['x86_64'],
  cpus: 4,
  memoryBytes: 2 ** 33,
  memoryFreeBytes: 2 ** 32,
} as MemberDescription;

export interface Harness {
  services: Services;
  records: Records;
  events: Lifecycle[];
  /** Runs an operation to its end; what went wrong with it is thrown. */
  finish(operation: Promise<OperationView>): Promise<OperationView>;
  [Symbol.asyncDispose](): Promise<void>;
}

/** Operations that are only kept in memory. */
function memoryOperations(records: Records, uuid: () => string) {
  const running = new Map<string, Promise<OperationView>>();
  const open = new Set<string>();
  const sockets = new Map<string, (socket: unknown) => void>();
  const start = async (request: OperationRequest): Promise<OperationView> => {
    const id = uuid();
    open.add(id);
    const transaction = records.transaction();
    request.intent?.(id, transaction);
    await transaction.commit({ signal: AbortSignal.timeout(5000) });
    let metadata = request.metadata ?? null;
    for (const [secret, take] of Object.entries(request.sockets ?? {})) sockets.set(`${id}/${secret}`, take);
    const view = (status: string, error = ''): OperationView => ({
      id,
      class: request.class,
      description: request.description,
      created_at: '',
      updated_at: '',
      status,
      status_code: 0,
      resources: request.resources,
      metadata,
      may_cancel: false,
      err: error,
      location: 'none',
    });
    const update = (more: Record<string, unknown>) => (metadata = { ...metadata, ...more });
    const work = (async () => {
      try {
        update((await request.run({ id, signal: AbortSignal.timeout(20_000), update })) ?? {});
        return view('Success');
      } catch (error) {
        return view('Failure', toLxdError(error).message);
      } finally {
        open.delete(id);
      }
    })();
    running.set(id, work);
    return view('Running');
  };
  return { start, running, sockets, isRunning: (id: string) => open.has(id) };
}

export async function harness(
  agents: Record<string, Agent>,
): Promise<Harness & { connect(id: string, secret: string, socket: unknown): void }> {
  const store = memoryStore();
  const records = await openRecords(store, { signal: AbortSignal.timeout(5000) });
  const events: Lifecycle[] = [];
  let count = 0;
  const uuid = () => {
    count += 1;
    const hex = (count * 0x9e3779b1).toString(16).padStart(8, '0').slice(-8);
    return `${hex}-0000-4000-8000-${String(count).padStart(12, '0')}`;
  };
  const { start, running, sockets, isRunning } = memoryOperations(records, uuid);
  const silent = () => undefined;
  const services: Services = {
    records,
    operations: { start, isRunning } as unknown as Operations,
    agents: {
      get: (member) => {
        const agent = agents[member];
        if (!agent) throw new LxdError('unavailable', `Member "${member}" is offline`);
        return agent;
      },
      online: () => Object.keys(agents),
      state: (member) => (agents[member] ? 'online' : 'offline'),
      silentMs: (member) => (agents[member] ? 0 : 60_000),
      awaited: silent,
      description: (member) => (agents[member] ? described : undefined),
    },
    peers: noPeers,
    lanes: new Lanes(),
    hwaddrs: new Hwaddrs(records),
    events: { lifecycle: (event) => void events.push(event) },
    log: { debug: silent, info: silent, warn: silent, error: silent },
    server: 'm1',
    clock: { now: () => new Date('2026-01-02T03:04:05.000Z') },
    uuid,
  };
  const set = records.transaction();
  for (const name of Object.keys(agents)) {
    const roles: MemberRole[] = ['control-plane', 'node'];
    set.create('members', [name], newMember({ name, roles, architecture: 'x86_64' }));
  }
  const memberConfig = Object.fromEntries(Object.keys(agents).map((name) => [name, { source: '/p' }]));
  set
    .create('pools', ['default'], {
      name: 'default',
      driver: 'dir',
      description: '',
      status: 'Created',
      config: {},
      memberConfig,
    })
    .create('networks', ['default', 'br0'], {
      project: 'default',
      name: 'br0',
      type: 'bridge',
      description: '',
      status: 'Created',
      config: { 'ipv4.address': '10.1.1.1/24' },
      memberConfig: Object.fromEntries(Object.keys(agents).map((name) => [name, {}])),
    })
    .create('profiles', ['default', 'default'], {
      project: 'default',
      name: 'default',
      description: '',
      config: {},
      devices: {
        root: { type: 'disk', path: '/', pool: 'default' },
        eth0: { type: 'nic', network: 'br0', name: 'eth0' },
      },
    });
  await set.commit({ signal: AbortSignal.timeout(5000) });
  return {
    services,
    records,
    events,
    connect: (id, secret, socket) => sockets.get(`${id}/${secret}`)?.(socket),
    async finish(operation) {
      const { id } = await operation;
      const over = await running.get(id);
      if (!over) throw new Error('no such operation');
      if (over.status !== 'Success') throw new LxdError('invalid', over.err);
      return over;
    },
    [Symbol.asyncDispose]: async () => {
      await records[Symbol.asyncDispose]();
    },
  };
}
