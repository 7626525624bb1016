import {
  applySettings,
  cgroupDefault,
  cgroupItems,
  cgroupSettings,
  kernelItems,
  type CgroupSetting,
  type HostCapacity,
} from './limits.ts';

const GiB = 1024 ** 3;
const v1: HostCapacity = {
  cgroup: 'v1',
  cpus: 4,
  memoryBytes: 8 * GiB,
  cgroupFiles: new Set([
    'blkio.bfq.weight',
    'cpu.cfs_period_us',
    'cpu.cfs_quota_us',
    'cpu.shares',
    'memory.limit_in_bytes',
    'memory.memsw.limit_in_bytes',
    'memory.soft_limit_in_bytes',
    'memory.swappiness',
    'pids.max',
  ]),
};
const v2: HostCapacity = {
  ...v1,
  cgroup: 'v2',
  cgroupFiles: new Set([
    'cpu.max',
    'cpu.weight',
    'hugetlb.2MB.max',
    'memory.high',
    'memory.max',
    'memory.swap.max',
    'pids.max',
  ]),
};
const files = (config: Record<string, string>, host = v1) =>
  Object.fromEntries(cgroupSettings(config, host).map(({ file, value }) => [file, value]));

test('no limits, no files', () => {
  expect(files({})).toEqual({});
});

test('memory in bytes or as a share of the host, hard or soft', () => {
  expect(files({ 'limits.memory': '100MB' })).toEqual({
    'memory.limit_in_bytes': '100000000',
    'memory.memsw.limit_in_bytes': '100000000',
    'memory.soft_limit_in_bytes': '90000000',
  });
  expect(files({ 'limits.memory': '25%' }, v2)).toEqual({ 'memory.max': String(2 * GiB) });
  const soft = { 'limits.memory': '1GiB', 'limits.memory.enforce': 'soft' };
  expect(files(soft)).toEqual({ 'memory.soft_limit_in_bytes': String(GiB) });
  expect(files(soft, v2)).toEqual({ 'memory.high': String(GiB) });
});

test('swap, as LXD sets it', () => {
  expect(files({ 'limits.memory': '100MB', 'limits.memory.swap': 'false' })).toEqual({
    'memory.limit_in_bytes': '100000000',
    'memory.soft_limit_in_bytes': '90000000',
    'memory.swappiness': '0',
  });
  expect(files({ 'limits.memory.swap.priority': '3' })).toEqual({ 'memory.swappiness': '67' });
  expect(files({ 'limits.memory.swap': 'no' }, v2)).toEqual({ 'memory.swap.max': '0' });
});

test('a share of CPU time, less for a lower priority, or time per period', () => {
  const shares = (config: Record<string, string>, host = v1) => {
    const found = files(config, host);
    return found['cpu.shares'] ?? found['cpu.weight'];
  };
  expect(shares({ 'limits.cpu.allowance': '50%' })).toBe('512');
  expect(shares({ 'limits.cpu.allowance': '50%', 'limits.cpu.priority': '5' })).toBe('507');
  expect(shares({ 'limits.cpu.allowance': '200%', 'limits.cpu.priority': '5' })).toBe('2043');
  expect(shares({ 'limits.cpu.allowance': '0%' })).toBe('2');
  expect(shares({ 'limits.cpu.priority': '0' })).toBe('1014');
  expect(shares({ 'limits.cpu.allowance': '50%' }, v2)).toBe('50');
  const time = { 'limits.cpu.allowance': '25ms/100ms' };
  expect(files(time)).toEqual({
    'cpu.shares': '1024',
    'cpu.cfs_period_us': '100000',
    'cpu.cfs_quota_us': '25000',
  });
  expect(files(time, v2)).toEqual({ 'cpu.weight': '100', 'cpu.max': '25000 100000' });
  expect(() => files({ 'limits.cpu.allowance': 'much' })).toThrow(/use 50% or 25ms\/100ms/);
});

test('the priority of its disks, by what the kernel has for it', () => {
  expect(files({ 'limits.disk.priority': '3' })).toEqual({ 'blkio.bfq.weight': '300' });
  expect(files({ 'limits.disk.priority': '0' })).toEqual({ 'blkio.bfq.weight': '10' });
  expect(() => files({ 'limits.disk.priority': '3' }, v2)).toThrow(/limits.disk.priority .* is missing/);
});

test('huge pages where there are some; what the kernel has no file for is left out', () => {
  const config = { 'limits.hugepages.2MB': '4MiB', 'limits.hugepages.1GB': '1GiB', 'limits.processes': '-1' };
  expect(files(config)).toEqual({ 'pids.max': 'max' });
  expect(files(config, v2)).toEqual({ 'pids.max': 'max', 'hugetlb.2MB.max': String(4 * 1024 ** 2) });
});

test('a limit that is taken back leaves what the kernel has by default', () => {
  const defaults: [string, string][] = [
    ['memory.limit_in_bytes', '-1'],
    ['cpu.cfs_quota_us', '-1'],
    ['cpu.shares', '1024'],
    ['memory.swappiness', '60'],
    ['pids.max', 'max'],
    ['memory.max', 'max'],
    ['io.bfq.weight', '100'],
  ];
  for (const [file, value] of defaults) expect([file, cgroupDefault({ file })]).toEqual([file, value]);
  expect(cgroupDefault({ file: 'blkio.throttle.read_bps_device', device: '7:0' })).toBe('7:0 0');
  expect(cgroupDefault({ file: 'io.max', device: '7:0' })).toBe('7:0 rbps=max wbps=max riops=max wiops=max');
});

test('as lines for liblxc', () => {
  const settings = cgroupSettings({ 'limits.processes': '100' }, v1);
  expect(cgroupItems(settings, v1)).toEqual([['lxc.cgroup.pids.max', '100']]);
  expect(cgroupItems(settings, v2)).toEqual([['lxc.cgroup2.pids.max', '100']]);
  expect(
    kernelItems({
      'limits.kernel.nofile': '3000',
      'linux.sysctl.net.ipv4.ip_forward': '1',
      'limits.memory': '1GiB',
    }),
  ).toEqual([
    ['lxc.prlimit.nofile', '3000'],
    ['lxc.sysctl.net.ipv4.ip_forward', '1'],
  ]);
});

describe('while it runs', () => {
  /** A kernel that keeps memory below memory and swap. */
  function kernel(refused?: string) {
    const now = new Map<string, string>();
    const bytes = (file: string) => {
      const value = now.get(file) ?? '-1';
      return value === '-1' ? Infinity : Number(value);
    };
    return {
      now,
      cgroupSet: (_: string, file: string, value: string) => {
        const before = now.get(file);
        now.set(file, value);
        if (value === refused || bytes('memory.limit_in_bytes') > bytes('memory.memsw.limit_in_bytes')) {
          if (before === undefined) now.delete(file);
          else now.set(file, before);
          throw new Error(`no ${value}`);
        }
      },
    };
  }
  const apply = (
    at: ReturnType<typeof kernel>,
    before: Record<string, string>,
    after: Record<string, string>,
  ) => applySettings(at, 'c1', [cgroupSettings(before, v1), cgroupSettings(after, v1)]);

  test('memory goes up and down, and is limited no more', () => {
    const at = kernel();
    let before: Record<string, string> = {};
    for (const size of ['2GiB', '1GiB', '3GiB', '']) {
      const after: Record<string, string> = size ? { 'limits.memory': size } : {};
      apply(at, before, after);
      const wanted = size ? String(Number(size[0]) * GiB) : '-1';
      expect(at.now.get('memory.limit_in_bytes')).toBe(wanted);
      expect(at.now.get('memory.memsw.limit_in_bytes')).toBe(wanted);
      before = after;
    }
  });

  test('one that is refused is named, and the others are as before', () => {
    const at = kernel('7');
    apply(at, {}, { 'limits.memory': '1GiB', 'limits.cpu.priority': '5' });
    const known = [...at.now];
    expect(() =>
      apply(
        at,
        { 'limits.memory': '1GiB', 'limits.cpu.priority': '5' },
        { 'limits.memory': '2GiB', 'limits.processes': '7' },
      ),
    ).toThrow('Failed to apply "limits.processes": no 7');
    expect([...at.now]).toEqual(known);
  });

  test('only what changes is touched', () => {
    const calls: string[] = [];
    const one: CgroupSetting = { key: 'limits.processes', file: 'pids.max', value: '5' };
    const disk: CgroupSetting = { key: 'limits.read', file: 'io.max', device: '7:0', value: '7:0 rbps=5' };
    applySettings({ cgroupSet: (_, file, value) => calls.push(`${file} ${value}`) }, 'c1', [
      [one, disk],
      [one],
    ]);
    expect(calls).toEqual(['io.max 7:0 rbps=max wbps=max riops=max wiops=max']);
  });
});
