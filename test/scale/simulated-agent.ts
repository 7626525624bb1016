import type { InstanceSpec } from '@lxd-ts/core';
import type { Agent, InstanceStateReport, MemberDescription, Observation } from '@lxd-ts/rpc';

/** What each simulated member has. */
export const capacity = { cpus: 64, memoryBytes: 256 * 1024 ** 3, poolBytes: 4 * 1024 ** 4 };

const description: Omit<MemberDescription, 'hostname'> = {
  version: '0.0.0',
  architectures: ['x86_64', 'i686'],
  kernel: { name: 'Linux', version: '6.1.0', architecture: 'x86_64', features: {} },
  os: { name: 'simulated', version: '1' },
  lxcVersion: '5.0.2',
  lxcFeatures: {},
  firewall: 'nftables',
  storageDrivers: [{ name: 'dir', version: '1', remote: false }],
  networkTypes: ['bridge'],
  cpus: capacity.cpus,
  memoryBytes: capacity.memoryBytes,
  memoryFreeBytes: capacity.memoryBytes,
};

const report = (running: boolean): InstanceStateReport => ({
  status: running ? 'Running' : 'Stopped',
  pid: running ? 4711 : 0,
  processes: running ? 12 : 0,
  cpuNanoseconds: running ? 1_000_000 : 0,
  memory: { usage: 50_000_000, usagePeak: 60_000_000, swapUsage: 0, swapUsagePeak: 0, total: 0 },
  disk: { root: { usage: 200_000_000, total: 0 } },
  network: running
    ? {
        eth0: {
          addresses: [{ family: 'inet', address: '10.0.0.2', netmask: '24', scope: 'global' }],
          counters: { bytesReceived: 1, bytesSent: 1, packetsReceived: 1, packetsSent: 1 },
          hwaddr: '00:16:3e:00:00:01',
          mtu: 1500,
          state: 'up',
          type: 'broadcast',
          hostName: 'veth1',
        },
      }
    : null,
});

const keyOf = ({ project, name }: { project: string; name: string }): string => `${project}/${name}`;
const outcome = { volatile: {} };

export interface SimulatedAgent {
  agent: Agent;
  /** `project/name` of all it has. */
  instances: Set<string>;
  running: Set<string>;
  /** Milliseconds that each change takes from now on. */
  workMs: number;
}

/** An agent whose instances are names in memory. */
export function simulatedAgent(hostname: string): SimulatedAgent {
  const instances = new Set<string>();
  const running = new Set<string>();
  const work = () =>
    simulated.workMs > 0
      ? new Promise<void>((over) => setTimeout(over, simulated.workMs))
      : Promise.resolve();
  const done = async () => {
    await work();
    return outcome;
  };
  const does: Partial<Agent> = {
    describe: () => Promise.resolve({ ...description, hostname }),
    restore: () => Promise.resolve(),
    membership: () => Promise.resolve(),
    keepBackups: () => Promise.resolve(),
    heldImages: () => Promise.resolve([]),
    poolUsage: () =>
      Promise.resolve({
        space: { used: 0, total: capacity.poolBytes },
        inodes: { used: 0, total: 1_000_000 },
      }),
    createInstance: (spec) => {
      instances.add(keyOf(spec));
      return done();
    },
    deleteInstance: async (spec) => {
      await work();
      instances.delete(keyOf(spec));
    },
    updateInstance: done,
    startInstance: (spec) => {
      running.add(keyOf(spec));
      return done();
    },
    stopInstance: (spec) => {
      running.delete(keyOf(spec));
      return done();
    },
    instanceStates: (specs: InstanceSpec[]) =>
      Promise.resolve(specs.map((spec) => report(running.has(keyOf(spec))))),
    async *observe({ signal }) {
      const all: Observation = {
        kind: 'all',
        instances: [...running].map((key) => {
          const [project = '', name = ''] = key.split('/');
          return { project, name, status: 'Running', pid: 4711 };
        }),
      };
      yield all;
      await new Promise((over) => signal.addEventListener('abort', over, { once: true }));
    },
  };
  const simulated: SimulatedAgent = { agent: does as Agent, instances, running, workMs: 0 };
  return simulated;
}
