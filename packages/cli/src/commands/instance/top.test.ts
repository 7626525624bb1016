import type { InstanceFull } from '@lxd-ts/client';
import { loadsBetween, lookOf } from './top-rows.ts';

const one = (name: string, pid: number, cpu: number, memory: number, bytes: number): InstanceFull =>
  ({
    name,
    project: 'default',
    location: 'none',
    state: {
      pid,
      processes: 3,
      cpu: { usage: cpu },
      memory: { usage: memory, swap_usage: 0 },
      network: {
        eth0: { type: 'broadcast', counters: { bytes_received: bytes, bytes_sent: 2 * bytes } },
        lo: { type: 'loopback', counters: { bytes_received: 1e9 * bytes, bytes_sent: 0 } },
      },
    },
  }) as never;

const before = lookOf([one('c1', 1, 0, 100, 0), one('c10', 2, 5e9, 300, 7), one('c2', 0, 0, 0, 0)], 1000);
const after = lookOf(
  [one('c1', 1, 1e9, 100, 1000), one('c10', 3, 1e9, 300, 9), one('c2', 0, 0, 0, 0), one('c9', 4, 9e9, 1, 1)],
  3000,
);
const names = (order: 'cpu' | 'memory' | 'network' | 'name') =>
  loadsBetween(before, after, order).map(({ name }) => name);

test('rates per second, of what runs', () => {
  expect(loadsBetween(before, after, 'cpu')[0]).toEqual({
    name: 'c1',
    location: 'none',
    cpu: 50,
    memoryBytes: 100,
    swapBytes: 0,
    receivedBytes: 500,
    sentBytes: 1000,
    processes: 3,
  });
});

test('one that is new or was started again begins at nothing', () => {
  const loads = loadsBetween(before, after, 'name');
  expect(loads.map(({ name, cpu, receivedBytes }) => [name, cpu, receivedBytes])).toEqual([
    ['c1', 50, 500],
    ['c9', 0, 0],
    ['c10', 0, 0],
  ]);
});

test('in the order that is asked for', () => {
  expect(names('memory')).toEqual(['c10', 'c1', 'c9']);
  expect(names('network')).toEqual(['c1', 'c9', 'c10']);
});
