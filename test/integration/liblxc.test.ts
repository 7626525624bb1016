import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { openLiblxc, type ExecRequest, type Liblxc } from '@lxd-ts/liblxc';
import { liblxcSuite, type LiblxcWorld } from '../../packages/liblxc/src/testing/liblxc-suite.ts';
import { makeBusyboxRootfs } from '../support/busybox.ts';

const signal = AbortSignal.timeout(600_000);
const buildDir = resolve(process.env['LIBLXC_BUILD'] ?? 'packages/liblxc/build');

function makeWorld(): LiblxcWorld & { dir: string; name: string } {
  const dir = mkdtempSync('/tmp/lxd-ts-liblxc-');
  // Everybody may pass through to the root, as in the daemon's directories.
  chmodSync(dir, 0o711);
  const lxcpath = join(dir, 'containers');
  const name = 'box';
  mkdirSync(join(lxcpath, name), { recursive: true });
  makeBusyboxRootfs(join(dir, 'rootfs'));
  const configFile = join(dir, 'lxc.conf');
  writeFileSync(
    configFile,
    [
      `lxc.uts.name = ${name}`,
      `lxc.rootfs.path = dir:${dir}/rootfs`,
      'lxc.rootfs.options = idmap=container',
      'lxc.idmap = u 0 1000000 1000000000',
      'lxc.idmap = g 0 1000000 1000000000',
      'lxc.mount.auto = proc:rw sys:mixed cgroup:mixed',
      'lxc.autodev = 1',
      'lxc.pty.max = 64',
      'lxc.tty.max = 0',
      'lxc.console.buffer.size = auto',
      'lxc.net.0.type = empty',
      '',
    ].join('\n'),
  );
  const brokenFile = join(dir, 'broken.conf');
  writeFileSync(brokenFile, 'lxc.rootfs.path = dir:/no/such/root\nlxc.net.0.type = empty\n');
  const log = { logLevel: 'WARN' } as const;
  const open = () => openLiblxc({ lxcpath, buildDir });
  const liblxc = open();
  return {
    dir,
    name,
    liblxc,
    again: open,
    request: { name, configFile, logFile: join(dir, 'lxc.log'), ...log },
    broken: { name: 'broken', configFile: brokenFile, logFile: join(dir, 'broken.log'), ...log },
    [Symbol.asyncDispose]: async () => {
      await liblxc.kill(name, { signal });
      rmSync(dir, { recursive: true });
    },
  };
}

describe('real liblxc', () => {
  liblxcSuite(() => Promise.resolve(makeWorld()));
});

describe('a busybox container', () => {
  let world: ReturnType<typeof makeWorld>;
  let lxc: Liblxc;
  const environment = { PATH: '/bin:/sbin' };
  const exec = (argv: string[], more: Partial<ExecRequest> = {}) =>
    lxc.exec({ name: world.name, argv, environment, uid: 0, gid: 0, cwd: '/', ...more }, { signal });
  const output = async (argv: string[], more: Partial<ExecRequest> = {}) => {
    await using process = await exec(argv, more);
    return await text(process.terminal ?? process.pipes!.stdout);
  };

  beforeAll(async () => {
    world = makeWorld();
    lxc = world.liblxc;
    await lxc.start(world.request, { signal });
  });
  afterAll(async () => {
    await world[Symbol.asyncDispose]();
  });

  test('is unprivileged, and root inside', async () => {
    expect(await output(['cat', '/proc/self/uid_map'])).toMatch(/^\s*0\s+1000000\s+1000000000$/m);
    expect(await output(['id', '-u'])).toBe('0\n');
    expect(await output(['stat', '-c', '%u', '/bin/busybox'])).toBe('0\n');
  });

  test('passes environment, ids and directory', async () => {
    const seen = await output(['sh', '-c', 'echo $A; id -u; id -g; id -G; pwd'], {
      environment: { ...environment, A: 'a b' },
      uid: 1000,
      gid: 1001,
      cwd: '/tmp',
    });
    expect(seen).toBe('a b\n1000\n1001\n1001\n/tmp\n');
  });

  test('standard streams are pipes that can be opened by name', async () => {
    expect(await output(['sh', '-c', 'echo there >/dev/stdout'])).toBe('there\n');
  });

  test('does not wait for what a command left running', async () => {
    const begin = Date.now();
    expect(await output(['sh', '-c', 'sleep 30 & echo done'])).toBe('done\n');
    expect(Date.now() - begin).toBeLessThan(20_000);
  });

  test('a terminal is one inside, has its size, and takes another', async () => {
    const terminal = { columns: 91, rows: 33 };
    expect(await output(['sh', '-c', 'tty; stty size'], { terminal })).toMatch(
      /^\/dev\/pts\/\d+\r\n33 91\r\n$/,
    );
    await using process = await exec(['sh', '-c', 'while sleep 0.05; do stty size; done'], { terminal });
    let seen = '';
    process.terminal!.on('data', (data: Buffer) => (seen += data.toString()));
    process.resize(70, 20);
    while (!seen.includes('20 70')) await sleep(10);
  });

  test('a program that ends leaves all its output, 2 MiB of it', async () => {
    const seen = await output(['sh', '-c', 'dd if=/dev/zero bs=64k count=32 2>/dev/null | tr "\\0" x'], {
      terminal: { columns: 80, rows: 24 },
    });
    expect(seen.length).toBe(2 * 1024 * 1024);
  });

  test('runs twenty commands at once', async () => {
    const all = await Promise.all(Array.from({ length: 20 }, (_, i) => output(['echo', String(i)])));
    expect(all).toEqual(Array.from({ length: 20 }, (_, i) => `${i}\n`));
  });

  test('reads and writes cgroup files', () => {
    lxc.cgroupSet(world.name, 'pids.max', '77');
    expect(lxc.cgroupGet(world.name, 'pids.max')?.trim()).toBe('77');
    expect(lxc.cgroupGet(world.name, 'no.such.file')).toBeUndefined();
    expect(() => lxc.cgroupSet(world.name, 'pids.max', 'junk')).toThrow(/refused "junk"/);
  });

  test('its console can be used and left', async () => {
    await using session = await lxc.console(world.name, { columns: 80, rows: 24 }, { signal });
    let seen = '';
    session.terminal.on('data', (data: Buffer) => (seen += data.toString()));
    session.terminal.write('\n');
    while (!seen.includes('#')) await sleep(10);
    session.terminal.write('echo mark-$((40+2))\n');
    while (!seen.includes('mark-42')) await sleep(10);
  });

  test('tells of a reboot from inside, and runs again', async () => {
    const before = lxc.initPid(world.name);
    const gone = Promise.withResolvers<void>();
    using _watch = lxc.onInitExit(world.name, gone.resolve);
    await output(['reboot', '-f']).catch(() => '');
    await gone.promise;
    while (lxc.state(world.name) !== 'RUNNING' || lxc.initPid(world.name) === before) await sleep(5);
    expect(lxc.initPid(world.name)).not.toBe(before);
  });
});
