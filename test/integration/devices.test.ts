import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join, resolve } from 'node:path';
import { text } from 'node:stream/consumers';
import type { Config } from '@lxd-ts/core';
import { deviceDrivers, lxcLines, type DeviceContext } from '@lxd-ts/devices';
import { linuxHost } from '@lxd-ts/host';
import { openLiblxc, type Liblxc } from '@lxd-ts/liblxc';
import { deviceSuite, instanceWith } from '../../packages/devices/src/testing/device-suite.ts';
import { makeBusyboxRootfs } from '../support/busybox.ts';

const wait = { signal: AbortSignal.timeout(60_000) };
const bridge = `lxd${process.pid.toString(36).slice(-6)}`;
const find = (type: string) => deviceDrivers.find((driver) => driver.type === type)!;

const context = (dir: string, config: Config): DeviceContext => ({
  host: linuxHost(),
  dir,
  instance: instanceWith(config),
  name: 'd1',
  config,
  networks: {
    reserve: () => Promise.resolve(),
    assign: () => Promise.resolve(undefined),
    release: () => Promise.resolve(),
  },
  volumes: { hold: () => Promise.resolve(''), release: () => Promise.resolve() },
  volumeConfig: () => ({}),
  devDir: '/dev',
  sysDir: '/sys',
  forwarder: '/bin/false',
  randomId: () => 'abcd1234',
});

beforeAll(() => {
  execFileSync('ip', ['link', 'add', 'name', bridge, 'type', 'bridge']);
});
afterAll(() => {
  execFileSync('ip', ['link', 'delete', 'dev', bridge]);
});

describe('nic-bridged', () => {
  deviceSuite(() => ({
    driver: find('nic-bridged'),
    config: { type: 'nic', nictype: 'bridged', parent: bridge },
    dir: '/nowhere',
    left: () => readdirSync(`/sys/class/net/${bridge}/brif`),
    [Symbol.dispose]: () => undefined,
  }));

  test('a veth pair that a crash left is removed', async () => {
    const config = { type: 'nic', nictype: 'bridged', parent: bridge };
    const device = context('/nowhere', config);
    const veth = `${bridge}v`;
    execFileSync('ip', ['link', 'add', 'name', veth, 'type', 'veth']);
    const instance = { ...device.instance, config: { 'volatile.d1.host_name': veth } };
    await find('nic-bridged').stop({ ...device, instance }, wait);
    expect(existsSync(`/sys/class/net/${veth}`)).toBe(false);
  });
});

test.each([
  ['unix-char', '/dev/null', 'c 1:3 rwm'],
  ['unix-char', '/dev/zero', 'c 1:5 rwm'],
])('%s %s is made anew for the root inside', async (type, source, rule) => {
  const dir = mkdtempSync('/tmp/lxd-ts-devices-');
  try {
    const idmap = [{ Isuid: true, Isgid: true, Hostid: 1_000_000, Nsid: 0, Maprange: 65_536 }];
    const config = { type, source, mode: '0640' };
    const device = context(dir, config);
    const instance = { ...device.instance, config: { 'volatile.idmap.next': JSON.stringify(idmap) } };
    const started = await find(type).start({ ...device, instance }, wait);
    const node = lstatSync(join(dir, 'devices/c1/unix.d1', source.slice(1).replace('/', '-')));
    expect([node.isCharacterDevice(), node.mode & 0o777, node.uid, node.gid]).toEqual([
      true,
      0o640,
      1_000_000,
      1_000_000,
    ]);
    expect(node.rdev).toBe(lstatSync(source).rdev);
    expect(lxcLines(started)).toContainEqual(['lxc.cgroup.devices.allow', rule]);
    await find(type).stop({ ...device, instance }, wait);
    await find(type).stop({ ...device, instance }, wait);
    expect(readdirSync(join(dir, 'devices'))).toEqual([]);
  } finally {
    rmSync(dir, { recursive: true });
  }
});

test('a device that is not there, or of another kind, is refused; an optional one is left out', async () => {
  const start = (type: string, config: Config) =>
    find(type).start(context('/nowhere', { type, ...config }), wait);
  await expect(start('unix-char', { source: '/dev/no-such' })).rejects.toThrow(/is not a character device/);
  await expect(start('unix-block', { source: '/dev/null' })).rejects.toThrow(/is not a block device/);
  expect(await start('unix-char', { source: '/dev/no-such', required: 'false' })).toEqual({
    mounts: [],
    volatile: {},
  });
});

describe('in an unprivileged container', () => {
  const base = 1_000_000;
  const idmap = [{ Isuid: true, Isgid: true, Hostid: base, Nsid: 0, Maprange: 65_536 }];
  const uplink = `${bridge}u`;
  const uplinkHwaddr = '00:16:3e:77:00:01';
  const peer = `${bridge}p`;
  let dir: string;
  let liblxc: Liblxc;
  let devices: Record<string, Config>;
  let volatile: Config;

  const volumesIn = (directory: string): DeviceContext['volumes'] => ({
    hold: (pool, volume) => Promise.resolve(join(directory, pool, volume)),
    release: () => Promise.resolve(),
  });
  const open = (name: string): [(typeof deviceDrivers)[number], DeviceContext] => {
    const config = devices[name]!;
    const device = context(dir, config);
    const instance = {
      ...device.instance,
      config: { 'volatile.idmap.next': JSON.stringify(idmap), ...volatile },
      devices,
    };
    const driver = deviceDrivers.find(
      ({ type }) => type === config['type'] || type === `nic-${config['nictype'] ?? ''}`,
    )!;
    return [driver, { ...device, instance, name, volumes: volumesIn(dir) }];
  };

  const inside = async (...argv: string[]): Promise<{ status: number; output: string }> => {
    const environment = { PATH: '/bin:/sbin:/usr/bin:/usr/sbin' };
    await using child = await liblxc.exec({ name: 'c1', argv, environment, uid: 0, gid: 0, cwd: '/' }, wait);
    child.pipes!.stdin.end();
    const [output, errors, status] = await Promise.all([
      text(child.pipes!.stdout),
      text(child.pipes!.stderr),
      child.exited,
    ]);
    return { status, output: `${output}${errors}`.trim() };
  };

  async function stopDevices(): Promise<void> {
    for (const name of Object.keys(devices)) {
      const [driver, device] = open(name);
      await driver.stop(device, wait);
    }
  }

  beforeAll(async () => {
    dir = mkdtempSync('/tmp/lxd-ts-devices-');
    chmodSync(dir, 0o711);
    makeBusyboxRootfs(join(dir, 'rootfs'));
    for (const name of ['plain', 'shifted', 'pool/v 1']) {
      mkdirSync(join(dir, name), { recursive: true, mode: 0o755 });
      writeFileSync(join(dir, name, 'file'), name, { mode: 0o644 });
    }
    execFileSync('ip', [
      'link',
      'add',
      uplink,
      'address',
      uplinkHwaddr,
      'type',
      'veth',
      'peer',
      'name',
      peer,
    ]);
    volatile = {};
    devices = {
      bound: { type: 'disk', source: join(dir, 'plain'), path: '/mnt/a b/../bound', readonly: 'true' },
      shifted: { type: 'disk', source: join(dir, 'shifted'), path: 'mnt/shifted', shift: 'true' },
      single: { type: 'disk', source: join(dir, 'plain/file'), path: '/mnt/single' },
      vol: { type: 'disk', pool: 'pool', source: 'v 1', path: '/mnt/vol' },
      zero: { type: 'unix-char', source: '/dev/zero', path: '/dev/naught', mode: '0640', gid: '7' },
      'dev/full': { type: 'unix-char', path: '/dev/made', major: '1', minor: '7' },
      eth0: { type: 'nic', nictype: 'bridged', parent: bridge, hwaddr: '00:16:3e:77:00:02', mtu: '1400' },
      eth1: { type: 'nic', nictype: 'physical', parent: uplink, mtu: '1300', hwaddr: '00:16:3e:77:00:03' },
      eth2: { type: 'nic', nictype: 'macvlan', parent: bridge, hwaddr: '00:16:3e:77:00:04' },
    };
    const lines = [
      'lxc.uts.name = c1',
      'lxc.mount.auto = proc:rw sys:mixed cgroup:mixed',
      'lxc.autodev = 1',
      `lxc.rootfs.path = dir:${dir}/rootfs`,
      'lxc.rootfs.options = idmap=container',
      `lxc.idmap = u 0 ${base} 65536`,
      `lxc.idmap = g 0 ${base} 65536`,
      ...['cgroup', 'cgroup2'].flatMap((version) => [
        `lxc.${version}.devices.deny = a`,
        ...['c *:* m', 'c 5:* rwm', 'c 136:* rwm', 'c 1:3 rwm'].map(
          (rule) => `lxc.${version}.devices.allow = ${rule}`,
        ),
      ]),
    ];
    let index = 0;
    for (const name of Object.keys(devices)) {
      const [driver, device] = open(name);
      const started = await driver.start(device, wait);
      lines.push(
        ...lxcLines(started).map(([key, value]) => `${key.replace('{index}', String(index))} = ${value}`),
      );
      if (driver.type.startsWith('nic')) index++;
      for (const [key, value] of Object.entries(started.volatile)) {
        if (value !== null) volatile = { ...volatile, [`volatile.${name}.${key}`]: value };
      }
    }
    const configFile = join(dir, 'lxc.conf');
    writeFileSync(configFile, `${lines.join('\n')}\n`);
    mkdirSync(join(dir, 'containers/c1'), { recursive: true });
    liblxc = openLiblxc({ lxcpath: join(dir, 'containers'), buildDir: resolve('packages/liblxc/build') });
    const logFile = join(dir, 'lxc.log');
    await liblxc
      .start({ name: 'c1', configFile, logFile, logLevel: 'WARN' }, wait)
      .catch((error: unknown) => {
        throw new Error(`${String(error)}\n${readFileSync(logFile, 'utf8')}`);
      });
  });

  afterAll(async () => {
    await liblxc.kill('c1', wait);
    await stopDevices();
    execFileSync('ip', ['link', 'delete', 'dev', peer]);
    expect(liblxc.active()).toEqual([]);
    rmSync(dir, { recursive: true });
    rmSync(`/run/lxc/lock${dir}`, { recursive: true, force: true });
  });

  test('disks are where they should be, owned by nobody unless shifted', async () => {
    expect(await inside('cat', '/mnt/bound/file', '/mnt/single')).toEqual({
      status: 0,
      output: 'plainplain',
    });
    expect(await inside('stat', '-c', '%u', '/mnt/bound/file')).toEqual({ status: 0, output: '65534' });
    expect((await inside('touch', '/mnt/bound/new')).output).toMatch(/Read-only/);
    expect(await inside('stat', '-c', '%u', '/mnt/shifted/file')).toEqual({ status: 0, output: '0' });
    expect((await inside('touch', '/mnt/shifted/new')).status).toBe(0);
    expect(statSync(join(dir, 'shifted/new')).uid).toBe(0);
    expect(await inside('cat', '/mnt/vol/file')).toEqual({ status: 0, output: 'pool/v 1' });
  });

  test('device nodes can be used, with the owner and mode asked for; others cannot', async () => {
    expect(await inside('stat', '-c', '%u %g %a %t:%T', '/dev/naught')).toEqual({
      status: 0,
      output: '0 7 640 1:5',
    });
    expect((await inside('sh', '-c', 'head -c 3 /dev/naught | wc -c')).output).toBe('3');
    expect((await inside('sh', '-c', 'echo x > /dev/made')).output).toMatch(/No space left/);
    expect((await inside('sh', '-c', 'head -c 1 /dev/urandom')).output).toMatch(/not permitted/);
  });

  test('NICs have the address, MTU and name asked for', async () => {
    const of = async (name: string) =>
      (await inside('cat', `/sys/class/net/${name}/address`, `/sys/class/net/${name}/mtu`)).output.split(
        '\n',
      );
    expect(await of('eth0')).toEqual(['00:16:3e:77:00:02', '1400']);
    expect(await of('eth1')).toEqual(['00:16:3e:77:00:03', '1300']);
    expect((await of('eth2'))[0]).toBe('00:16:3e:77:00:04');
    expect(readdirSync(`/sys/class/net/${bridge}/brif`)).toEqual(['vethabcd1234']);
    expect(existsSync(`/sys/class/net/${uplink}`)).toBe(false);
  });

  test('a stop leaves nothing and gives the host its own back as it was', async () => {
    await liblxc.kill('c1', wait);
    await stopDevices();
    await stopDevices();
    expect(readdirSync(`/sys/class/net/${bridge}/brif`)).toEqual([]);
    expect(readFileSync(`/sys/class/net/${uplink}/address`, 'utf8').trim()).toBe(uplinkHwaddr);
    expect(readFileSync(`/sys/class/net/${uplink}/mtu`, 'utf8').trim()).toBe('1500');
    expect(existsSync(join(dir, 'devices/c1'))).toBe(false);
    expect(readFileSync('/proc/self/mountinfo', 'utf8')).not.toContain(dir);
  });
});
