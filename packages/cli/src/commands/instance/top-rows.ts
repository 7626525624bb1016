import type { InstanceFull, InstanceState } from '@lxd-ts/client';
import { naturalCompare } from '../../format/units.ts';

/** What one instance does at the moment; rates per second. */
export interface Load {
  name: string;
  location: string;
  /** Percent of one CPU. */
  cpu: number;
  memoryBytes: number;
  swapBytes: number;
  receivedBytes: number;
  sentBytes: number;
  processes: number;
}

export const orders = ['cpu', 'memory', 'network', 'processes', 'name'] as const;
export type Order = (typeof orders)[number];

/** Counters of all instances at one moment. */
export interface Look {
  /** Milliseconds. */
  at: number;
  states: ReadonlyMap<string, { instance: InstanceFull; state: InstanceState }>;
}

const keyOf = ({ project, name }: InstanceFull): string => `${project}/${name}`;

export const lookOf = (instances: readonly InstanceFull[], at: number): Look => ({
  at,
  states: new Map(
    instances.flatMap((instance) =>
      instance.state?.pid ? [[keyOf(instance), { instance, state: instance.state }] as const] : [],
    ),
  ),
});

/** Of its own interfaces but for the loopback. */
function traffic({ network }: InstanceState, key: 'bytes_received' | 'bytes_sent'): number {
  return Object.values(network ?? {})
    .filter(({ type }) => type !== 'loopback')
    .reduce((sum, { counters }) => sum + counters[key], 0);
}

const weights: Readonly<Record<Exclude<Order, 'name'>, (load: Load) => number>> = {
  cpu: ({ cpu }) => cpu,
  memory: ({ memoryBytes }) => memoryBytes,
  network: ({ receivedBytes, sentBytes }) => receivedBytes + sentBytes,
  processes: ({ processes }) => processes,
};

/** What happened between two looks, the most first. One that was started again meanwhile begins at nothing. */
export function loadsBetween(before: Look, after: Look, order: Order): Load[] {
  const seconds = Math.max(0.001, (after.at - before.at) / 1000);
  const loads = [...after.states].map(([key, { instance, state }]): Load => {
    const found = before.states.get(key)?.state;
    const old = found?.pid === state.pid ? found : undefined;
    const rate = (now: number, then: number | undefined) => Math.max(0, now - (then ?? now)) / seconds;
    return {
      name: instance.name,
      location: instance.location,
      cpu: rate(state.cpu.usage, old?.cpu.usage) / 1e7,
      memoryBytes: state.memory.usage,
      swapBytes: state.memory.swap_usage,
      receivedBytes: rate(traffic(state, 'bytes_received'), old && traffic(old, 'bytes_received')),
      sentBytes: rate(traffic(state, 'bytes_sent'), old && traffic(old, 'bytes_sent')),
      processes: state.processes,
    };
  });
  const weight = order === 'name' ? undefined : weights[order];
  return loads.sort((a, b) => (weight ? weight(b) - weight(a) : 0) || naturalCompare(a.name, b.name));
}
