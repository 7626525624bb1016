import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Client } from '../support/client.ts';
import { prepareGround, type Ground } from '../support/ground.ts';
import { ownClientLife as life } from '../support/lives.ts';

jest.setTimeout(120_000);

const key = (name: string) => `security.syscalls.intercept.${name}`;

/** `security.syscalls.intercept.*`: calls of an unprivileged container that are answered for it. */
describe('system calls', () => {
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
  /** A call, by a program that says its result or the name of the error. */
  const call = async (name: string, ...args: string[]): Promise<string> =>
    (await client(['exec', name, '--', '/root/syscalls', ...args])).stdout.trim();

  const launch = async (name: string, ...config: string[]) => {
    await must('launch', 'busybox', name, ...config.flatMap((pair) => ['-c', pair]));
    await must('file', 'push', join(ground.dir, 'syscalls'), `${name}/root/syscalls`, '--mode', '755');
  };
  const initPid = async (name: string): Promise<number> => {
    const { metadata } = await ground.server.rest.must('GET', `/1.0/instances/${name}/state`);
    return (metadata as { pid: number }).pid;
  };
  const interceptors = (): number[] =>
    readdirSync(join(ground.server.dir, 'syscalls'))
      .filter((name) => name.endsWith('.pid'))
      .map((name) => Number(readFileSync(join(ground.server.dir, 'syscalls', name), 'utf8')));

  beforeAll(async () => {
    ground = await prepareGround('syscalls', (dir) => life.start(dir));
    execFileSync('gcc', [
      ...['-O1', '-Wall', '-Wextra', '-Werror', '-static', '-o', join(ground.dir, 'syscalls')],
      join(import.meta.dirname, '..', 'support', 'syscalls.c'),
    ]);
    client = life.client(ground.server.dir, join(ground.dir, 'home'));
    await life.init(ground.server);
    await must('image', 'import', ground.image.unified, '--alias', 'busybox');
    await must('profile', 'device', 'remove', 'default', 'eth0');
    await launch('plain');
    const all = [
      'mknod',
      'setxattr',
      'sysinfo',
      'sched_setscheduler',
      'mount',
      'mount.shift',
      'bpf',
      'bpf.devices',
    ];
    await launch(
      'helped',
      ...all.map((name) => `${key(name)}=true`),
      `${key('mount.allowed')}=ext4`,
      `${key('mount.fuse')}=xfs=/root/mount-xfs`,
      'limits.memory=64MiB',
    );
  });
  afterAll(() => ground.clear());

  test('without it the kernel says no', async () => {
    expect(await call('plain', 'mknod', '/root/null', '1', '3')).toBe('EPERM');
    expect(await call('plain', 'setxattr', '/root', 'trusted.overlay.opaque', 'y')).toBe('EPERM');
    expect(await call('plain', 'schedule', '0', 'fifo')).toMatch(/^EPERM/);
    expect((await call('plain', 'sysinfo')).split(' ')[0]).not.toBe(String(64 << 20));
  });

  test('mknod: harmless nodes, by whom and where the caller could make files', async () => {
    expect(await call('helped', 'mknod', '/root/null', '1', '3')).toBe('0');
    expect(
      await inside('helped', 'stat -c "%t:%T %u:%g %a" /root/null; echo x > /root/null && echo written'),
    ).toBe('1:3 0:0 640\nwritten\n');
    expect(
      await inside(
        'helped',
        'cd /root; ln -s null link; ./syscalls mknod link 1 3; ./syscalls mknod zero 1 5',
      ),
    ).toBe('EEXIST\n0\n');
    expect(await call('helped', 'mknod', '/nowhere/x', '1', '3')).toBe('ENOENT');
    for (const [major, minor] of [
      ['1', '1'], // mem
      ['10', '232'], // kvm
      ['5', '2'], // ptmx
    ] as const)
      expect(await call('helped', 'mknod', '/root/other', major, minor)).toBe('EPERM');
    // Who has no capability inside gets none; nor does a user namespace further in.
    const asNobody =
      'cp /root/syscalls /tmp/s; chmod 755 /tmp/s; su -s /bin/sh nobody -c "/tmp/s mknod /tmp/n 1 3"';
    expect(await inside('helped', asNobody)).toBe('EPERM\n');
    expect(await inside('helped', 'unshare -r /root/syscalls mknod /root/n 1 3')).toBe('EPERM\n');
    // A directory that belongs to nobody inside.
    expect(await call('helped', 'mknod', '/dev/lxd/null', '1', '3')).toMatch(/^E(PERM|ACCES)$/);
    // A node where none can be used would not help.
    expect(
      await inside(
        'helped',
        'mkdir -p /mnt/t; mount -t tmpfs t /mnt/t; /root/syscalls mknod /mnt/t/n 1 3; ls /mnt/t',
      ),
    ).toBe('EPERM\n');
  });

  test('setxattr: the mark of overlay for directories, and nothing else', async () => {
    expect(await call('helped', 'setxattr', '/root', 'trusted.overlay.opaque', 'y')).toBe('0');
    const root = `/proc/${await initPid('helped')}/root/root`;
    expect(
      execFileSync(join(ground.dir, 'syscalls'), ['getxattr', root, 'trusted.overlay.opaque'], {
        encoding: 'utf8',
      }),
    ).toBe('1\n');
    expect(await call('helped', 'setxattr', '/root', 'trusted.overlay.opaque', 'n')).toBe('EPERM');
    expect(await call('helped', 'setxattr', '/root', 'trusted.other', 'y')).toBe('EPERM');
    expect(await call('helped', 'setxattr', '/root', 'user.mine', 'y')).toBe('0');
    expect(await call('helped', 'setxattr', '/nowhere', 'trusted.overlay.opaque', 'y')).toBe('ENOENT');
  });

  test('sysinfo: its own memory and processes', async () => {
    const [memory, uptime, processes] = (await call('helped', 'sysinfo')).split(' ').map(Number);
    expect(memory).toBe(64 << 20);
    expect(uptime).toBeLessThan(120);
    expect(processes).toBeLessThan(20);
    await must('config', 'set', 'helped', 'limits.memory=96MiB');
    expect((await call('helped', 'sysinfo')).split(' ')[0]).toBe(String(96 << 20));
  });

  test('sched_setscheduler: of itself, and of those it can name', async () => {
    const pid = await initPid('helped');
    const path = /^\d+:(?:\S*,)?cpu(?:,\S*)?:(\S+)$/m.exec(readFileSync(`/proc/${pid}/cgroup`, 'utf8'))?.[1];
    const file = `/sys/fs/cgroup/cpu${path ?? ''}/cpu.rt_runtime_us`;
    // Where groups have shares of real time, a new one has none.
    if (path !== undefined && existsSync(file)) {
      expect(await call('helped', 'schedule', '0', 'fifo')).toMatch(/^EPERM/);
      writeFileSync(file, '1000');
    }
    expect(await call('helped', 'schedule', '0', 'fifo')).toBe('0\n1');
    expect(await call('helped', 'schedule', '1', 'fifo')).toBe('0\n1');
    expect(await call('helped', 'schedule', '1', 'other')).toBe('0\n0');
    expect(await call('helped', 'schedule', '30000', 'fifo')).toMatch(/^ESRCH/);
  });

  test('mount: filesystems that are trusted, from disks it was given', async () => {
    const image = join(ground.dir, 'ext4.img');
    execFileSync('truncate', ['-s', '8M', image]);
    execFileSync('mkfs.ext4', ['-q', image]);
    const loop = execFileSync('losetup', ['--find', '--show', image], { encoding: 'utf8' }).trim();
    try {
      await must(
        'config',
        'device',
        'add',
        'helped',
        'disk',
        'unix-block',
        `source=${loop}`,
        'path=/dev/disk0',
      );
      await inside('helped', 'mkdir -p /mnt/disk');
      expect(await call('helped', 'mount', '/dev/disk0', '/mnt/disk', 'ext4', 'nodelalloc')).toBe('0');
      expect(
        await inside('helped', 'grep /mnt/disk /proc/mounts; touch /mnt/disk/x && stat -c %u:%g /mnt/disk/x'),
      ).toMatch(/ext4 rw,nosuid,nodev,.*nodelalloc.*\n0:0\n$/);
      expect(await inside('helped', 'umount /mnt/disk && ls /mnt/disk')).toBe('');
      expect(await call('helped', 'mount', '/dev/disk0', '/mnt/disk', 'ext4', 'no_such_option')).toBe(
        'EINVAL',
      );
      expect(await call('helped', 'mount', '/dev/disk0', '/mnt/disk', 'btrfs', '')).toBe('EPERM');
      expect(await call('helped', 'mount', '/dev/disk0', '/mnt/nowhere', 'ext4', '')).toBe('ENOENT');
      await must('config', 'device', 'remove', 'helped', 'disk');
      // The node alone, made by whoever, is not enough.
      expect(await call('helped', 'mount', '/dev/disk0', '/mnt/disk', 'ext4', '')).toBe('ENOENT');
    } finally {
      execFileSync('losetup', ['--detach', loop]);
    }
    // By a program: as the caller, in its place.
    const program = [
      '#!/bin/sh',
      'echo "$@ $(id -u)" > /root/asked',
      'grep CapBnd /proc/self/status > /root/bounds',
      'exec mount -t tmpfs tmpfs "$2"',
      '',
    ].join('\n');
    writeFileSync(join(ground.dir, 'mount-xfs'), program);
    await must('file', 'push', join(ground.dir, 'mount-xfs'), 'helped/root/mount-xfs', '--mode', '755');
    expect(await call('helped', 'mount', '/dev/any', '/mnt/disk', 'xfs', 'a=b')).toBe('0');
    expect(await inside('helped', 'cat /root/asked; grep /mnt/disk /proc/mounts; umount /mnt/disk')).toMatch(
      /^\/dev\/any \/mnt\/disk -o rw,a=b 0\ntmpfs \/mnt\/disk tmpfs/,
    );
    const bounds = async () => BigInt(`0x${(await inside('helped', 'cut -f2 /root/bounds')).trim()}`);
    const all = await bounds();
    expect(await call('helped', 'bound', '/dev/any', '/mnt/disk', 'xfs', 'a=b')).toBe('0');
    expect(all - (await bounds())).toBe(1n << 12n); // CAP_NET_ADMIN
    await inside('helped', 'umount /mnt/disk');
  });

  test('bpf: programs that refuse devices, for its own groups', async () => {
    const group = await inside('helped', 'ls -d /sys/fs/cgroup/unified || echo /sys/fs/cgroup');
    expect(await call('helped', 'bpf', group.split('\n')[0] ?? '')).toBe('EPERM\n1');
    // It is loaded for the container, and yet with few rights.
    expect(await call('helped', 'peek')).toMatch(/^E(PERM|INVAL|ACCES)$/);
  });

  test('a filesystem that never answers keeps nobody else from being answered', async () => {
    await must('config', 'device', 'add', 'helped', 'fuse', 'unix-char', 'path=/dev/fuse');
    await inside('helped', 'mkdir -p /mnt/mute');
    expect(await call('helped', 'hang', '/mnt/mute')).toBe('EIO');
    expect(await call('helped', 'mknod', '/root/beside', '1', '3')).toBe('0');
    await inside('helped', 'killall syscalls; umount -l /mnt/mute');
    await must('config', 'device', 'remove', 'helped', 'fuse');
  });

  test('whoever answers may be killed, and so may the daemon', async () => {
    const [pid = 0, ...others] = interceptors();
    expect([pid > 1, others]).toEqual([true, []]);
    await ground.server.crash();
    expect(await call('helped', 'mknod', '/root/again', '1', '3')).toBe('0');
    expect(interceptors()).toEqual([pid]);
    const children = () => readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim();
    const worker = Number(children());
    process.kill(worker, 'SIGKILL');
    expect(await call('helped', 'mknod', '/root/other', '1', '3')).toBe('0');
    expect(Number(children())).not.toBe(worker);
    process.kill(pid, 'SIGKILL');
    await ground.server.crash();
    expect(await call('helped', 'mknod', '/root/with', '1', '3')).toBe('0');
    await must('restart', '-f', 'helped');
    expect(await call('helped', 'mknod', '/root/after', '1', '3')).toBe('0');
    expect(interceptors()).toHaveLength(1);
    await must('stop', '-f', 'helped');
    expect(readdirSync(join(ground.server.dir, 'syscalls'))).toEqual([]);
  });

  test('a policy under which nothing can run is told, and leaves nothing', async () => {
    await must('init', 'busybox', 'none', '-c', 'security.syscalls.deny=sendmsg errno 38');
    const { code, stderr } = await client(['start', 'none']);
    expect([code, stderr]).toEqual([
      1,
      expect.stringMatching(/Failed to start "none": .*not implemented|Failed/),
    ]);
    await must('config', 'unset', 'none', 'security.syscalls.deny');
    await must('start', 'none');
  });

  test.each([
    ['ext4', "is not of the form 'filesystem=fuse-binary': ext4"],
    ['ext4=fuse2fs', 'Filesystem ext4 cannot appear in'],
  ])('mount.fuse=%s beside the list of trusted ones is refused', async (value, message) => {
    const { code, stderr } = await client(['config', 'set', 'helped', `${key('mount.fuse')}=${value}`]);
    expect([code, stderr]).toEqual([1, expect.stringContaining(message)]);
  });
});
