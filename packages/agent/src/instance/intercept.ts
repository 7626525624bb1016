import { readFile, rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { isTrue, projectPrefixed, type Config, type InstanceSpec } from '@lxd-ts/core';
import type { AgentContext } from '../context.ts';
import { cgroupNames } from './cgroups.ts';

/** Which calls of its programs are held back and answered by `lxd-ts-intercept`, as lines of a seccomp policy. */
const policies: Readonly<Record<string, readonly string[]>> = {
  mknod: [
    'mknod notify [1,8192,SCMP_CMP_MASKED_EQ,61440]',
    'mknodat notify [2,8192,SCMP_CMP_MASKED_EQ,61440]',
  ],
  // One byte is what the attribute has.
  setxattr: ['setxattr notify [3,1,SCMP_CMP_EQ]', 'lsetxattr notify [3,1,SCMP_CMP_EQ]'],
  sched_setscheduler: ['sched_setscheduler notify'],
  sysinfo: ['sysinfo notify'],
  // Programs that know newer calls go back to the old one when these are not there.
  mount: [
    'mount notify',
    ...['fsopen', 'fsconfig', 'fsmount', 'fspick', 'open_tree', 'move_mount'].map(
      (call) => `${call} errno 38`,
    ),
  ],
  bpf: ['bpf notify [0,5,SCMP_CMP_EQ]', 'bpf notify [0,8,SCMP_CMP_EQ]', 'bpf notify [0,9,SCMP_CMP_EQ]'],
};

function isIntercepted(config: Config, call: string): boolean {
  if (!isTrue(config[`security.syscalls.intercept.${call}`])) return false;
  return call !== 'bpf' || isTrue(config['security.syscalls.intercept.bpf.devices']);
}

/** Lines for what is intercepted. Root of the host needs no help; a whole policy of one's own has no place for it. */
export function interceptPolicy(config: Config): string[] {
  if (isTrue(config['security.privileged']) || config['raw.seccomp']) return [];
  const lines = Object.entries(policies).flatMap(([call, policy]) =>
    isIntercepted(config, call) ? policy : [],
  );
  // The kernel has one listener for a process: a program that asks for one is told that there is none.
  return lines.length > 0 ? ['seccomp errno 22 [1,8,SCMP_CMP_MASKED_EQ,8]', ...lines] : [];
}

/** @param devlxd its directory of that name: random, and as long as it runs the same */
export const interceptSocket = (dir: string, devlxd: string): string =>
  join(dir, 'syscalls', basename(devlxd));

const pidFile = (socket: string): string => `${socket}.pid`;
const marker = (socket: string): string => `socket=${socket}`;
const pidOf = async (socket: string): Promise<number> =>
  Number(await readFile(pidFile(socket), 'utf8').catch(() => ''));

/** The process that answers, before its container starts. @param init pid of one that runs already */
export async function openIntercept(
  { dir, host, interceptor }: AgentContext,
  spec: InstanceSpec,
  devlxd: string,
  options: { init?: number; signal: AbortSignal },
): Promise<void> {
  const { config } = spec;
  const socket = interceptSocket(dir, devlxd);
  const { payload } = cgroupNames(dir, projectPrefixed(spec.project, spec.name));
  await host.run(
    [
      interceptor,
      marker(socket),
      `pidfile=${pidFile(socket)}`,
      `payload=${payload}`,
      `mount=${config['security.syscalls.intercept.mount.allowed'] ?? ''}`,
      `fuse=${config['security.syscalls.intercept.mount.fuse'] ?? ''}`,
      `shift=${isTrue(config['security.syscalls.intercept.mount.shift']) ? 1 : 0}`,
      ...(options.init === undefined ? [] : [`watch=${options.init}`]),
    ],
    { signal: options.signal },
  );
}

/** One that runs has its process, whatever became of it. */
export async function keepIntercept(
  context: AgentContext,
  spec: InstanceSpec,
  devlxd: string,
  signal: AbortSignal,
): Promise<void> {
  if (interceptPolicy(spec.config).length === 0) return;
  const socket = interceptSocket(context.dir, devlxd);
  const pid = await pidOf(socket);
  if (pid > 1 && (await context.host.signalProcess(pid, marker(socket), 'SIGCONT'))) return;
  const init = context.liblxc.initPid(projectPrefixed(spec.project, spec.name));
  if (init !== undefined) await openIntercept(context, spec, devlxd, { init, signal });
}

const endTimeoutMs = 5_000;
const endPollMs = 20;

/** Nothing is left of it. */
export async function closeIntercept({ dir, host }: AgentContext, devlxd: string): Promise<void> {
  const socket = interceptSocket(dir, devlxd);
  const pid = await pidOf(socket);
  const until = Date.now() + endTimeoutMs;
  while (pid > 1 && Date.now() < until && (await host.signalProcess(pid, marker(socket), 'SIGKILL')))
    await sleep(endPollMs);
  await rm(socket, { force: true });
  await rm(pidFile(socket), { force: true });
}
