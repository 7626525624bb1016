import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join, resolve } from 'node:path';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  openLiblxc,
  type ExecRequest,
  type Liblxc,
  type StartRequest,
} from '../../packages/liblxc/src/index.ts';
import { liblxcSuite, type LiblxcWorld } from '../../packages/liblxc/src/testing/liblxc-suite.ts';
import { makeBusyboxRootfs } from '../support/busybox.ts';

const signal = AbortSignal.timeout(600_000);
const buildDir = resolve(process.env['LIBLXC_BUILD'] ?? 'packages/liblxc/build');

const seccomp = '2\ndenylist\nreject_force_umount\nkexec_load errno 38\n';

interface World extends LiblxcWorld {
  dir: string;
  name: string;
  /** Writes a configuration. */
  configure(name: string, lines: string[]): StartRequest;
}

function makeWorld(): World {
  const dir = mkdtempSync('/tmp/lxd-ts-liblxc-');
  // Everybody may pass through to the root, as in the daemon's directories.
  chmodSync(dir, 0o711);
  const lxcpath = join(dir, 'containers');
  makeBusyboxRootfs(join(dir, 'rootfs'));
  writeFileSync(join(dir, 'seccomp'), seccomp);
  const open = () => openLiblxc({ lxcpath, buildDir });
  const liblxc = open();
  const configure = (name: string, lines: string[]): StartRequest => {
    mkdirSync(join(lxcpath, name), { recursive: true });
    const configFile = join(dir, `${name}.conf`);
    writeFileSync(configFile, `${lines.join('\n')}\n`);
    return { name, configFile, logFile: join(dir, `${name}.log`), logLevel: 'WARN' };
  };
  const common = (name: string) => [
    `lxc.uts.name = ${name}`,
    'lxc.mount.auto = proc:rw sys:mixed cgroup:mixed',
    'lxc.autodev = 1',
    'lxc.pty.max = 64',
    'lxc.tty.max = 0',
    'lxc.console.buffer.size = auto',
    'lxc.net.0.type = empty',
  ];
  const unprivileged = (name: string) => [
    ...common(name),
    `lxc.rootfs.path = dir:${dir}/rootfs`,
    'lxc.rootfs.options = idmap=container',
    'lxc.idmap = u 0 1000000 1000000000',
    'lxc.idmap = g 0 1000000 1000000000',
    `lxc.seccomp.profile = ${dir}/seccomp`,
    'lxc.cap.drop = sys_time',
  ];
  return {
    dir,
    name: 'box',
    liblxc,
    again: open,
    configure: (name, lines) => configure(name, [...common(name), ...lines]),
    request: configure('box', unprivileged('box')),
    other: configure('other', unprivileged('other')),
    broken: configure('broken', ['lxc.rootfs.path = dir:/no/such/root', 'lxc.net.0.type = empty']),
    [Symbol.asyncDispose]: async () => {
      await Promise.all(liblxc.active().map((name) => liblxc.kill(name, { signal })));
      rmSync(dir, { recursive: true });
      // liblxc leaves the locks of what it has run.
      rmSync(`/run/lxc/lock${dir}`, { recursive: true, force: true });
    },
  };
}

/** Lines of /proc/PID/status. */
function statusOf(pid: number): Record<string, string> {
  const lines = readFileSync(`/proc/${pid}/status`, 'utf8').matchAll(/^(\w+):\s*(.*)$/gm);
  return Object.fromEntries([...lines].map(([, key = '', value = '']) => [key, value]));
}

/** A command's pid is known a moment before it is the command. */
async function begun(pid: number, program: string): Promise<void> {
  while (!readFileSync(`/proc/${pid}/cmdline`, 'utf8').startsWith(`${program}\0`)) await sleep(5);
}
const parentOf = (pid: number) => Number(statusOf(pid)['PPid']);

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

  test('a user has no groups of root', async () => {
    expect(await output(['id', '-G'], { uid: 1000, gid: 1001 })).toBe('1001\n');
  });

  test('standard streams are pipes that can be opened by name, by any user', async () => {
    for (const uid of [0, 1000]) {
      await using process = await exec(['sh', '-c', 'echo out >/dev/stdout; echo err >/dev/stderr'], { uid });
      const { stdout, stderr } = process.pipes!;
      expect(await Promise.all([text(stdout), text(stderr)])).toEqual(['out\n', 'err\n']);
    }
  });

  test('a terminal can be opened by name, by any user', async () => {
    const terminal = { columns: 80, rows: 24 };
    expect(await output(['sh', '-c', 'echo out >$(tty)'], { uid: 1000, terminal })).toBe('out\r\n');
  });

  test('commands are confined as init is', async () => {
    await using process = await exec(['sleep', '1000']);
    await begun(process.pid, 'sleep');
    const [init, command] = [statusOf(lxc.initPid(world.name)!), statusOf(process.pid)];
    expect(command['Seccomp']).toBe('2');
    expect(command['CapBnd']).toBe(init['CapBnd']);
    const sysTime = 1n << 25n;
    expect(BigInt(`0x${command['CapEff']!}`) & sysTime).toBe(0n);
    for (const line of readFileSync(`/proc/${process.pid}/cgroup`, 'utf8').trim().split('\n'))
      expect(line).toMatch(/:\/lxc\.payload\.box(\/\.lxc)?$/);
    // Nothing of ours is left in their signals, files or umask.
    for (const pid of [process.pid, lxc.initPid(world.name)!]) {
      const sigpipe = 1n << 12n;
      expect(BigInt(`0x${statusOf(pid)['SigIgn']!}`) & sigpipe).toBe(0n);
    }
    expect([command['SigIgn'], command['SigBlk']]).toEqual(['0000000000000000', '0000000000000000']);
    expect(command['Umask']).toBe('0022');
    expect(readdirSync(`/proc/${process.pid}/fd`)).toEqual(['0', '1', '2']);
  });

  test('the monitor holds nothing of ours and is small', () => {
    const monitor = parentOf(lxc.initPid(world.name)!);
    const fds = readdirSync(`/proc/${monitor}/fd`).sort((a, b) => Number(a) - Number(b));
    const files = fds.map((fd) => readlinkSync(`/proc/${monitor}/fd/${fd}`));
    expect(files.slice(0, 3)).toEqual(['/dev/null', '/dev/null', '/dev/null']);
    expect(files.filter((file) => file.startsWith('pipe:'))).toEqual([]);
    const pss = /^Pss:\s*(\d+)/m.exec(readFileSync(`/proc/${monitor}/smaps_rollup`, 'utf8'));
    expect(Number(pss?.[1])).toBeLessThan(3000);
  });

  test('a start that fails tells the reason, and only its own', async () => {
    await expect(lxc.start(world.broken, { signal })).rejects.toThrow(/\/no\/such\/root/);
    const other = world.configure('broken', ['lxc.rootfs.path = dir:/no/other/root']);
    const again = lxc.start(other, { signal });
    await expect(again).rejects.toThrow(/\/no\/other\/root/);
    await expect(again).rejects.not.toThrow(/\/no\/such\/root/);
  });

  test('a privileged container is entered, and run, from a sealed copy', async () => {
    const request = world.configure('root', [`lxc.rootfs.path = dir:${world.dir}/rootfs`]);
    const { initPid } = await lxc.start(request, { signal });
    await using process = await exec(['sleep', '1000'], { name: request.name });
    for (const pid of [parentOf(initPid), parentOf(process.pid)])
      expect(readlinkSync(`/proc/${pid}/exe`)).toBe('/memfd:lxd-ts-runtime (deleted)');
    expect(await output(['cat', '/proc/self/uid_map'], { name: request.name })).toMatch(/^\s*0\s+0\s/);
    await lxc.kill(request.name, { signal });
  });

  test('tells a configuration item', () => {
    expect(lxc.configItem(world.name, 'lxc.uts.name')).toBe(world.name);
    expect(lxc.configItem('no-such', 'lxc.uts.name')).toBeUndefined();
  });

  test('sees the interfaces inside', async () => {
    const inside = await lxc.interfaces(lxc.initPid(world.name));
    expect(inside.map(({ name }) => name)).toEqual(['lo']);
  });

  test('does not wait for what a command left running', async () => {
    const begin = Date.now();
    expect(await output(['sh', '-c', 'sleep 30 & echo done'])).toBe('done\n');
    expect(Date.now() - begin).toBeLessThan(20_000);
  });

  test('output that nobody reads is not gathered', async () => {
    await using process = await exec(['sh', '-c', 'dd if=/dev/zero bs=64k count=1000; echo $?']);
    await sleep(200);
    expect(process.pipes!.stdout.readableLength).toBeLessThan(256 * 1024);
    let size = 0;
    for await (const chunk of process.pipes!.stdout as AsyncIterable<Buffer>) size += chunk.length;
    expect(size).toBe(64 * 1024 * 1000 + 2);
  });

  test('a program that ends leaves all its output, 2 MiB of it, read late', async () => {
    const terminal = { columns: 80, rows: 24 };
    await using process = await exec(
      ['sh', '-c', 'dd if=/dev/zero bs=64k count=32 2>/dev/null | tr "\\0" x'],
      {
        terminal,
      },
    );
    await sleep(50);
    expect((await text(process.terminal!)).length).toBe(2 * 1024 * 1024);
  });

  test('its console runs commands, and ends with the container', async () => {
    await using session = await lxc.console(world.name, { columns: 80, rows: 24 }, { signal });
    let seen = '';
    session.terminal.on('data', (data: Buffer) => (seen += data.toString()));
    session.terminal.write('\n');
    while (!seen.includes('#')) await sleep(10);
    session.terminal.write('echo mark-$((40+2))\n');
    while (!seen.includes('mark-42')) await sleep(10);
    const ended = once(session.terminal, 'end');
    await lxc.kill(world.name, { signal });
    await ended;
    await lxc.start(world.request, { signal });
  });

  test('a monitor that hangs holds up nobody for long', async () => {
    const monitor = parentOf(lxc.initPid(world.name)!);
    process.kill(monitor, 'SIGSTOP');
    try {
      expect(() => lxc.state(world.name)).toThrow(/does not answer/);
      const begin = Date.now();
      await expect(lxc.kill(world.name, { signal })).rejects.toMatchObject({ code: 'unavailable' });
      expect(lxc.state('no-such')).toBe('STOPPED');
      expect(Date.now() - begin).toBeLessThan(500);
    } finally {
      process.kill(monitor, 'SIGCONT');
    }
    await sleep(100);
    expect(lxc.state(world.name)).toBe('RUNNING');
  });

  test('a monitor that is silent because its container has ended is waited for', async () => {
    const init = lxc.initPid(world.name)!;
    const monitor = parentOf(init);
    process.kill(monitor, 'SIGSTOP');
    process.kill(init, 'SIGKILL');
    setTimeout(() => process.kill(monitor, 'SIGCONT'), 2_500);
    await lxc.kill(world.name, { signal });
    expect(lxc.state(world.name)).toBe('STOPPED');
    await lxc.start(world.request, { signal });
  });

  test('who was on the way into a frozen container does not arrive after all', async () => {
    const commands = async () =>
      (await output(['ps', '-o', 'args'])).split('\n').filter((a) => a === 'sleep 77');
    await lxc.freeze(world.name, { signal });
    const request = { name: world.name, argv: ['sleep', '77'], environment, uid: 0, gid: 0, cwd: '/' };
    const soon = AbortSignal.timeout(50);
    await expect(lxc.exec(request, { signal: soon })).rejects.toMatchObject({ name: 'TimeoutError' });
    await lxc.unfreeze(world.name, { signal });
    await sleep(50);
    expect(await commands()).toEqual([]);
  });

  test('a daemon that is killed leaves no helper, and its commands to themselves', async () => {
    const script = `
      const { openLiblxc } = require(process.env.LIBLXC);
      const { lxcpath, buildDir, name } = JSON.parse(process.env.WORLD);
      const signal = AbortSignal.timeout(60000);
      const lxc = openLiblxc({ lxcpath, buildDir });
      const request = { name, environment: { PATH: '/bin' }, uid: 0, gid: 0, cwd: '/' };
      const terminal = { columns: 80, rows: 24 };
      (async () => {
        const processes = [
          await lxc.exec({ ...request, argv: ['cat'] }, { signal }),
          await lxc.exec({ ...request, argv: ['sleep', '1000'], terminal }, { signal }),
          await lxc.exec({ ...request, argv: ['yes'], terminal }, { signal }),
          await lxc.exec({ ...request, argv: ['sleep', '1000'] }, { signal }),
        ];
        console.log(processes.map(({ pid }) => pid).join(' '));
      })();`;
    const daemon = spawn(process.execPath, ['--input-type=commonjs', '-e', script], {
      stdio: ['ignore', 'pipe', 'inherit'],
      env: {
        LIBLXC: resolve('packages/liblxc/src/index.ts'),
        WORLD: JSON.stringify({ lxcpath: lxc.lxcpath, buildDir, name: world.name }),
      },
    });
    const [line] = (await once(daemon.stdout, 'data')) as [Buffer];
    const pids = line.toString().trim().split(' ').map(Number);
    const helpers = pids.map(parentOf);
    for (const [i, program] of ['cat', 'sleep', 'yes', 'sleep'].entries()) await begun(pids[i]!, program);
    daemon.kill('SIGKILL');
    const alive = (pid: number) => existsSync(`/proc/${pid}`) && statusOf(pid)['State']?.[0] !== 'Z';
    const [cat, sleeper, yes, piped] = pids as [number, number, number, number];
    while ([...helpers, cat, sleeper, yes].some(alive)) await sleep(10);
    expect(alive(piped)).toBe(true);
    process.kill(piped);
  });
});
