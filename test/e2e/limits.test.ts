import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Client } from '../support/client.ts';
import { prepareGround, type Ground } from '../support/ground.ts';
import { ownClientLife as life } from '../support/lives.ts';
import { waitFor } from '../support/wait-for.ts';

jest.setTimeout(120_000);

/** What the configuration of an instance limits, as seen from inside and by the kernel. */
describe('limits', () => {
  let ground: Ground;
  let client: Client;

  const must = async (...args: string[]): Promise<string> => {
    const { code, stdout, stderr } = await client(args);
    if (code !== 0) throw new Error(`${args.join(' ')}: ${stderr}`);
    return stdout;
  };
  const inside = async (name: string, script: string): Promise<string> => {
    const { stdout, stderr } = await client(['exec', name, '--', 'sh', '-c', script]);
    return stdout + stderr;
  };
  const set = (name: string, ...pairs: string[]) => must('config', 'set', name, ...pairs);

  const pidOf = async (name: string): Promise<number> => {
    const { metadata } = await ground.server.rest.must('GET', `/1.0/instances/${name}/state`);
    return (metadata as { pid: number }).pid;
  };

  /** A file of the cgroup of its init, by the controller it begins with. */
  const cgroup = async (name: string, file: string): Promise<string> => {
    const pid = await pidOf(name);
    const [controller = ''] = file.split('.');
    const own = readFileSync(`/proc/${pid}/cgroup`, 'utf8')
      .split('\n')
      .map((line) => line.split(':'))
      .find(([, names]) => names?.split(',').includes(controller) || names === '');
    const [, names = '', path = ''] = own ?? [];
    const payload = path.split('/').slice(0, 2).join('/');
    return readFileSync(join('/sys/fs/cgroup', names, payload, file), 'utf8').trim();
  };

  const init = (name: string, ...config: string[]) =>
    must('init', 'busybox', name, ...config.flatMap((pair) => ['-c', pair]));
  const launch = (name: string, ...config: string[]) =>
    must('launch', 'busybox', name, ...config.flatMap((pair) => ['-c', pair]));
  const remove = (...names: string[]) => must('delete', '-f', ...names);

  /** cgroup v2 has other names; the same effects are tested on both. */
  const onV1 =
    execFileSync('stat', ['-fc', '%T', '/sys/fs/cgroup'], { encoding: 'utf8' }).trim() !== 'cgroup2fs';
  const testV1 = onV1 ? test : test.skip;
  if (!onV1) console.log('the names of cgroup files are of cgroup v1: those tests are skipped');

  beforeAll(async () => {
    ground = await prepareGround('limits', (dir) => life.start(dir));
    client = life.client(ground.server.dir, join(ground.dir, 'home'));
    await life.init(ground.server);
    await must('image', 'import', ground.image.unified, '--alias', 'busybox');
    await must('profile', 'device', 'remove', 'default', 'eth0');
    await launch('c1');
    await must('config', 'device', 'override', 'c1', 'root');
  });
  afterAll(() => ground.clear());

  test('memory: what is above it is killed, and more is given at once', async () => {
    const hold = (bytes: string) => inside('c1', `head -c ${bytes} /dev/zero | tail -c ${bytes} | wc -c`);
    await set('c1', 'limits.memory=24MiB', 'limits.memory.swap=false');
    expect((await hold('48000000')).trim()).not.toBe('48000000');
    await set('c1', 'limits.memory=128MiB');
    expect((await hold('48000000')).trim()).toBe('48000000');
    await set('c1', 'limits.memory=', 'limits.memory.swap=');
  });

  test('processes: no more than that', async () => {
    await set('c1', 'limits.processes=12');
    const many = 'for i in $(seq 30); do sleep 20 & done 2>&1; jobs | wc -l; kill $(jobs -p)';
    expect(await inside('c1', many)).toMatch(/can't fork/);
    await set('c1', 'limits.processes=');
    expect(await inside('c1', many)).not.toMatch(/can't fork/);
  });

  testV1('each key is in the file that LXD writes it to, and goes without a trace', async () => {
    const root = (...pairs: string[]) => must('config', 'device', 'set', 'c1', 'root', ...pairs);
    const files = [
      'cpu.shares',
      'cpu.cfs_quota_us',
      'memory.swappiness',
      'memory.soft_limit_in_bytes',
      'memory.limit_in_bytes',
      'memory.memsw.limit_in_bytes',
      'blkio.throttle.read_bps_device',
      'blkio.throttle.write_bps_device',
      'blkio.throttle.write_iops_device',
      'pids.max',
    ];
    const all = async () => {
      const values: Record<string, string> = {};
      for (const file of files) values[file] = await cgroup('c1', file);
      return values;
    };
    const before = await all();
    await set('c1', 'limits.memory=200MB', 'limits.memory.swap.priority=3', 'limits.cpu.priority=5');
    await set('c1', 'limits.cpu.allowance=25ms/100ms', 'limits.processes=500');
    await root('limits.read=10MB', 'limits.write=200iops');
    const disk = /^\d+:\d+/.exec(await cgroup('c1', 'blkio.throttle.read_bps_device'))?.[0] ?? '';
    expect(await all()).toEqual({
      'cpu.shares': '1019',
      'cpu.cfs_quota_us': '25000',
      'memory.swappiness': '67',
      'memory.soft_limit_in_bytes': '179998720',
      'memory.limit_in_bytes': '199999488',
      'memory.memsw.limit_in_bytes': '199999488',
      'blkio.throttle.read_bps_device': `${disk} 10000000`,
      'blkio.throttle.write_bps_device': '',
      'blkio.throttle.write_iops_device': `${disk} 200`,
      'pids.max': '500',
    });
    await root('limits.max=20MB');
    expect(await cgroup('c1', 'blkio.throttle.write_bps_device')).toBe(`${disk} 20000000`);
    expect(await cgroup('c1', 'blkio.throttle.write_iops_device')).toBe('');

    // A reboot from inside is a start with what is configured by then.
    await must('config', 'set', 'c1', 'limits.cpu=1', 'environment.COLOUR=blue');
    const pid = await pidOf('c1');
    await client(['exec', 'c1', '--', 'reboot']);
    await waitFor(
      'a reboot',
      () => pidOf('c1').catch(() => 0),
      (now) => now !== pid && now > 0,
    );
    const soon = (file: string, value: string) =>
      waitFor(
        file,
        () => cgroup('c1', file),
        (text) => text === value,
      );
    await soon('memory.limit_in_bytes', '199999488');
    await soon('blkio.throttle.write_bps_device', `${disk} 20000000`);
    expect(await inside('c1', 'echo $COLOUR; touch /root/mine && stat -c %u /root/mine /root')).toBe(
      'blue\n0\n0\n',
    );
    await waitFor(
      'one CPU',
      () => cgroup('c1', 'cpuset.cpus'),
      (text) => /^\d+$/.test(text),
    );

    await root('limits.read=', 'limits.write=', 'limits.max=');
    for (const key of ['memory', 'memory.swap.priority', 'cpu.priority', 'cpu.allowance', 'processes', 'cpu'])
      await set('c1', `limits.${key}=`);
    expect(await all()).toEqual(before);
  });

  test('what the kernel refuses is an error, and nothing is changed', async () => {
    await set('c1', 'limits.memory=64MiB');
    const { code, stderr } = await client(['config', 'set', 'c1', 'limits.memory=4kB', 'limits.processes=7']);
    expect([code, stderr]).toEqual([1, expect.stringContaining('Failed to apply "limits.memory"')]);
    expect(await must('config', 'get', 'c1', 'limits.memory')).toBe('64MiB\n');
    expect(await must('config', 'get', 'c1', 'limits.processes')).toBe('\n');
    expect(await inside('c1', 'grep MemTotal /proc/meminfo')).toMatch(/\s65536 kB/);
    await set('c1', 'limits.memory=');
  });

  test('CPUs: as many as asked for, shared out evenly, and those that are asked for', async () => {
    const allowed = (name: string) =>
      inside(name, "sed -n 's/^Cpus_allowed_list:\\s*//p' /proc/self/status").then((text) => text.trim());
    const everything = await allowed('c1');
    const online = Number(execFileSync('nproc', { encoding: 'utf8' }));
    if (online < 2) return;
    await set('c1', 'limits.cpu=1');
    await launch('c2', 'limits.cpu=1');
    expect(await inside('c2', 'grep -c ^processor /proc/cpuinfo')).toBe('1\n');
    expect(await allowed('c1')).not.toBe(await allowed('c2'));
    // Who is told where to be pushes the other away.
    const taken = await allowed('c1');
    await set('c2', `limits.cpu=${taken}-${taken}`);
    expect(await allowed('c2')).toBe(taken);
    expect(await allowed('c1')).not.toBe(taken);
    await remove('c2');
    await set('c1', `limits.cpu=${online + 5}`);
    expect(await allowed('c1')).toBe(everything);
    await set('c1', 'limits.cpu=');
  });

  test('the size of its root, while it runs and in a copy', async () => {
    const write = (name: string) =>
      inside(name, 'head -c 60000000 /dev/urandom >/root/x; stat -c %s /root/x; rm /root/x');
    await must('config', 'device', 'set', 'c1', 'root', 'size=40MiB');
    expect(Number(/^\d+$/m.exec(await write('c1'))?.[0])).toBeLessThan(41 << 20);
    await must('copy', 'c1', 'c2');
    await must('start', 'c2');
    expect(Number(/^\d+$/m.exec(await write('c2'))?.[0])).toBeLessThan(41 << 20);
    await must('config', 'device', 'set', 'c1', 'root', 'size=');
    expect(await write('c1')).toBe('60000000\n');
    await remove('c2');
  });

  test('limits of the kernel hold for init and for every command; sysctls are set', async () => {
    await init('c2', 'limits.kernel.nofile=100:200', 'linux.sysctl.net.ipv4.ip_forward=1');
    await must('start', 'c2');
    expect(await inside('c2', 'ulimit -Sn; ulimit -Hn; cat /proc/sys/net/ipv4/ip_forward')).toBe(
      '100\n200\n1\n',
    );
    expect(await inside('c2', 'grep files /proc/1/limits')).toMatch(/\s100\s+200\s/);
    await remove('c2');
  });

  test.each([
    ['linux.kernel_modules=no-such-module', "Failed to load kernel module 'no-such-module'"],
    ['linux.kernel_modules=../x', 'names "../x", which is no name of a module'],
    ['security.idmap.base=5', 'are not within the host'],
    ['security.idmap.size=4000000000', 'no 4000000000 host ids left'],
  ])('%s is refused while it runs and where it starts', async (pair, message) => {
    const isolated = pair.includes('idmap') ? ['security.idmap.isolated=true'] : [];
    const live = await client(['config', 'set', 'c1', pair, ...isolated]);
    expect([live.code, live.stderr]).toEqual([1, expect.stringContaining(message)]);
    const [key = ''] = pair.split('=');
    expect(await must('config', 'get', 'c1', key)).toBe('\n');
    const args = [pair, ...isolated].flatMap((one) => ['-c', one]);
    const launched = await client(['launch', 'busybox', 'c2', ...args]);
    expect([launched.code, launched.stderr]).toEqual([1, expect.stringContaining(message)]);
    await client(['delete', '-f', 'c2']);
  });

  test('ids of its own: of ten, none reads the files of another, not even from outside', async () => {
    const names = Array.from({ length: 10 }, (_, i) => `i${i}`);
    await Promise.all(names.map((name) => init(name, 'security.idmap.isolated=true')));
    await Promise.all(names.map((name) => must('start', name)));
    const ranges = await Promise.all(
      names.map(async (name) =>
        (await inside(name, 'cat /proc/self/uid_map')).trim().split(/\s+/).map(Number),
      ),
    );
    const bases = ranges.map(([, base = 0]) => base);
    expect(new Set(bases).size).toBe(names.length);
    const sorted = [...bases].sort((a, b) => a - b);
    for (const [at, base] of sorted.entries())
      expect(base + 65_536).toBeLessThanOrEqual(sorted[at + 1] ?? Infinity);
    for (const [, , size] of ranges) expect(size).toBe(65_536);
    await Promise.all(
      names.map((name) => inside(name, `echo ${name} >/root/secret; chmod 644 /root/secret`)),
    );
    const files = names.map((name) =>
      join(ground.server.dir, 'storage-pools/default/containers', name, 'rootfs/root/secret'),
    );
    const read = (id: number, file: string) =>
      spawnSync(
        'nsenter',
        [
          ...['-t', String(ground.server.pid), '-m', '--', 'setpriv', `--reuid=${id}`, `--regid=${id}`],
          ...['--clear-groups', 'cat', file],
        ],
        { encoding: 'utf8' },
      );
    for (const base of bases)
      for (const [at, file] of files.entries()) {
        if (bases[at] === base) continue;
        expect(read(base, file).stderr).toMatch(/Permission denied/);
      }
    // The files are there for who may see them.
    expect(
      execFileSync('nsenter', ['-t', String(ground.server.pid), '-m', '--', 'cat', ...files], {
        encoding: 'utf8',
      }),
    ).toBe(names.map((name) => `${name}\n`).join(''));
    // It comes back to its own.
    await must('restart', '-f', 'i3');
    expect((await inside('i3', 'cat /proc/self/uid_map')).trim().split(/\s+/).map(Number)).toEqual(ranges[3]);
    await remove(...names);
  });
});
