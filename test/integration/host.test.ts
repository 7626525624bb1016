import { execFileSync, spawn } from 'node:child_process';
import {
  closeSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  readlinkSync,
  readdirSync,
  rmSync,
  statSync,
} from 'node:fs';
import { join } from 'node:path';
import { linuxHost } from '@lxd-ts/host';
import { waitFor } from '../support/wait-for.ts';

const host = linuxHost();
const wait = { signal: AbortSignal.timeout(60_000) };
let dir: string;

beforeAll(() => {
  dir = mkdtempSync('/tmp/lxd-ts-host-');
});
afterAll(() => {
  rmSync(dir, { recursive: true });
});

/** 3 and above: whatever is open here must not be open there. */
const extra = (pid: number) =>
  readdirSync(`/proc/${pid}/fd`)
    .filter((fd) => Number(fd) > 2)
    .map((fd) => {
      try {
        return readlinkSync(`/proc/${pid}/fd/${fd}`);
      } catch {
        return '';
      }
    });

const running = (pid: number) =>
  existsSync(`/proc/${pid}/stat`) && !/\) Z /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));

const until = (isSo: () => boolean) => waitFor('the daemon', async () => isSo(), Boolean, 10);

test('mounts and unmounts, with a space in the path, and again', async () => {
  const target = join(dir, 'with space');
  mkdirSync(target);
  const here = async () => (await host.mounts()).filter((mount) => mount.target === target);
  await host.mount({ source: 'none', target, fsType: 'tmpfs', options: ['size=1m', 'nodev'] }, wait);
  expect(await here()).toMatchObject([{ source: 'none', fsType: 'tmpfs' }]);
  expect((await here())[0]?.options).toEqual(expect.arrayContaining(['nodev', 'size=1024k']));
  expect(await host.statfs(target)).toMatchObject({ used: 0, total: 1024 * 1024 });
  await host.unmount(target, wait);
  await host.unmount(target, wait);
  expect(await here()).toEqual([]);
});

test('a busy mount is refused by name, and goes when it may be lazy', async () => {
  const target = join(dir, 'busy');
  mkdirSync(target);
  await host.mount({ source: 'none', target, fsType: 'tmpfs' }, wait);
  const file = openSync(join(target, 'file'), 'w');
  await expect(host.unmount(target, wait)).rejects.toThrow(/umount failed: .*busy/);
  await host.unmount(target, { ...wait, lazy: true });
  closeSync(file);
  expect((await host.mounts()).some((mount) => mount.target === target)).toBe(false);
});

test('what it runs inherits no files', async () => {
  const file = openSync(dir, 'r');
  const { stdout } = await host.run(['ls', '-l', '/proc/self/fd'], wait);
  closeSync(file);
  expect(stdout).not.toContain(dir);
});

test('a daemon has its own session, its log and no files of ours, and is signalled only by its name', async () => {
  const file = openSync(dir, 'r');
  const logFile = join(dir, 'daemon.log');
  const pid = await host.daemonize(['sh', '-c', 'echo hello; echo world >&2; exec sleep 4711'], { logFile });
  closeSync(file);
  try {
    await until(() => readFileSync(`/proc/${pid}/cmdline`, 'utf8').startsWith('sleep'));
    expect(readFileSync(logFile, 'utf8')).toBe('hello\nworld\n');
    expect(statSync(logFile).mode & 0o777).toBe(0o600);
    expect(extra(pid).filter((name) => name !== '/dev/null')).toEqual([]);
    const [, , , , , session] = readFileSync(`/proc/${pid}/stat`, 'utf8').split(' ');
    expect(Number(session)).toBe(pid);
    expect(readlinkSync(`/proc/${pid}/cwd`)).toBe('/');
    expect(await host.signalProcess(pid, 'another', 'SIGKILL')).toBe(false);
    expect(await host.signalProcess(pid, '', 'SIGKILL')).toBe(false);
    expect(running(pid)).toBe(true);
  } finally {
    expect(await host.signalProcess(pid, '4711', 'SIGKILL')).toBe(true);
  }
  await until(() => !running(pid));
  expect(await host.signalProcess(pid, '4711', 'SIGKILL')).toBe(false);
  expect(await host.signalProcess(-1, '4711', 'SIGKILL')).toBe(false);
});

test('a daemon outlives who started it', async () => {
  const script = `
    const { linuxHost } = require(${JSON.stringify(join(process.cwd(), 'packages/host/src/index.ts'))});
    linuxHost().daemonize(['sleep', '4712'], { logFile: ${JSON.stringify(join(dir, 'out.log'))} }).then((pid) => {
      console.log(pid);
      process.kill(process.pid, 'SIGKILL');
    });`;
  const starter = spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'pipe', 'inherit'] });
  let said = '';
  starter.stdout.on('data', (data: Buffer) => (said += data.toString()));
  await new Promise((resolve) => starter.once('close', resolve));
  const pid = Number(said);
  expect(pid).toBeGreaterThan(1);
  expect(running(pid)).toBe(true);
  expect(await host.signalProcess(pid, '4712', 'SIGKILL')).toBe(true);
});

test('ip and nft speak for themselves when they refuse', async () => {
  await expect(host.ip(['link set dev no-such-link up'], wait)).rejects.toThrow(/ip failed: .*no-such-link/);
  await expect(host.nft('nonsense', wait)).rejects.toThrow(/nft failed/);
  expect(await host.ipJson(['link', 'show', 'dev', 'lo'], wait)).toMatchObject([{ ifname: 'lo' }]);
});

test('sysctls are read and written; one that is not there is undefined', async () => {
  const value = await host.readSysctl('kernel/pid_max');
  expect(Number(value)).toBeGreaterThan(0);
  await host.writeSysctl('kernel/pid_max', value ?? '');
  expect(await host.readSysctl('no/such')).toBeUndefined();
  expect(execFileSync('cat', ['/proc/sys/kernel/pid_max'], { encoding: 'utf8' }).trim()).toBe(value);
});
