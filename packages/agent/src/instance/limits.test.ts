import { cgroupDefault, cgroupItems, cgroupSettings, kernelLimitItems, type HostCapacity } from './limits.ts';

const GiB = 1024 ** 3;
const v1: HostCapacity = { cgroup: 'v1', cpus: 4, memoryBytes: 8 * GiB };
const v2: HostCapacity = { ...v1, cgroup: 'v2' };
const files = (config: Record<string, string>, host = v1) =>
  Object.fromEntries(cgroupSettings('c1', config, host).map(({ file, value }) => [file, value]));

test('no limits, no files', () => {
  expect(files({})).toEqual({});
});

test('memory in bytes or as a share of the host, hard or soft', () => {
  expect(files({ 'limits.memory': '256MiB' })).toEqual({ 'memory.limit_in_bytes': String(256 * 1024 ** 2) });
  expect(files({ 'limits.memory': '25%' }, v2)).toEqual({ 'memory.max': String(2 * GiB) });
  const soft = { 'limits.memory': '1GiB', 'limits.memory.enforce': 'soft' };
  expect(files(soft)).toEqual({ 'memory.soft_limit_in_bytes': String(GiB) });
  expect(files(soft, v2)).toEqual({ 'memory.high': String(GiB) });
});

test('a number of CPUs becomes that many, never more than there are; a set is taken as it is', () => {
  expect(files({ 'limits.cpu': '2' })['cpuset.cpus']?.split(',')).toHaveLength(2);
  expect(files({ 'limits.cpu': '99' })).toEqual({ 'cpuset.cpus': '0,1,2,3' });
  expect(files({ 'limits.cpu': '1-2' })).toEqual({ 'cpuset.cpus': '1-2' });
});

test('CPUs are chosen by name: always the same for one, spread over many', () => {
  const chosen = Array.from(
    { length: 40 },
    (_, i) => cgroupSettings(`c${i}`, { 'limits.cpu': '1' }, v1)[0]?.value,
  );
  expect(new Set(chosen).size).toBe(4);
  expect(cgroupSettings('c7', { 'limits.cpu': '1' }, v1)[0]?.value).toBe(chosen[7]);
});

test('a share of CPU time, or time per period', () => {
  expect(files({ 'limits.cpu.allowance': '50%' })).toEqual({ 'cpu.shares': '512' });
  expect(files({ 'limits.cpu.allowance': '50%' }, v2)).toEqual({ 'cpu.weight': '50' });
  const time = { 'limits.cpu.allowance': '25ms/100ms' };
  expect(files(time)).toEqual({ 'cpu.cfs_period_us': '100000', 'cpu.cfs_quota_us': '25000' });
  expect(files(time, v2)).toEqual({ 'cpu.max': '25000 100000' });
  expect(() => files({ 'limits.cpu.allowance': 'much' })).toThrow(/use 50% or 25ms\/100ms/);
});

test('a limit that is taken back leaves what the kernel has by default', () => {
  expect(cgroupDefault('memory.limit_in_bytes', v1)).toBe('-1');
  expect(cgroupDefault('cpu.cfs_quota_us', v1)).toBe('-1');
  expect(cgroupDefault('pids.max', v1)).toBe('max');
  expect(cgroupDefault('memory.max', v2)).toBe('max');
  expect(cgroupDefault('cpuset.cpus', v1)).toBe('0-3');
  expect(cgroupDefault('cpuset.cpus', { ...v1, cpus: 1 })).toBe('0');
});

test('as lines for liblxc', () => {
  const settings = cgroupSettings('c1', { 'limits.processes': '100' }, v1);
  expect(cgroupItems(settings, v1)).toEqual([['lxc.cgroup.pids.max', '100']]);
  expect(cgroupItems(settings, v2)).toEqual([['lxc.cgroup2.pids.max', '100']]);
  expect(kernelLimitItems({ 'limits.kernel.nofile': '3000', 'limits.memory': '1GiB' })).toEqual([
    ['lxc.prlimit.nofile', '3000'],
  ]);
});
