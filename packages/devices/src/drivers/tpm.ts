import { mkdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { LxdError, projectPrefixed } from '@lxd-ts/core';
import { anyDevice, checks } from '../checks.ts';
import type { DeviceContext, DeviceDriver } from '../driver.ts';
import { present } from '../nic.ts';
import { startNodes, stopNodes } from '../node-device.ts';
import { numbersAt } from '../sysfs.ts';

const endTimeoutMs = 5_000;
const endPollMs = 20;

/** Beside the root of the instance, where it cannot reach: what the emulated TPM keeps goes where the instance goes. */
const stateDir = ({ dir, instance, name }: DeviceContext): string =>
  join(
    dir,
    'containers',
    projectPrefixed(instance.project, instance.name),
    `tpm.${encodeURIComponent(name)}`,
  );

const pidFile = (context: DeviceContext): string => join(stateDir(context), 'swtpm.pid');
/** Marks the process: no other has this in its command line. */
const marker = (context: DeviceContext): string => `file=${pidFile(context)}`;

async function endEmulator(context: DeviceContext): Promise<void> {
  const pid = Number(await readFile(pidFile(context), 'utf8').catch(() => ''));
  const until = Date.now() + endTimeoutMs;
  const tell = (signal: NodeJS.Signals) => context.host.signalProcess(pid, marker(context), signal);
  while (pid > 1 && (await tell(Date.now() < until ? 'SIGTERM' : 'SIGKILL'))) {
    if (Date.now() > until + endTimeoutMs)
      throw new LxdError('internal', 'The emulator of a TPM does not end');
    await sleep(endPollMs);
  }
  await rm(pidFile(context), { force: true });
}

/** The emulator has the kernel make a device; it says which, then goes on by itself. */
async function startEmulator(context: DeviceContext, signal: AbortSignal) {
  await mkdir(stateDir(context), { recursive: true, mode: 0o700 });
  const { stdout } = await context.host.run(
    [
      ...(['swtpm', 'chardev', '--tpm2', '--vtpm-proxy', '--daemon'] as const),
      ...['--tpmstate', `dir=${stateDir(context)}`, '--pid', marker(context)],
    ],
    { signal },
  );
  const [, name, major, minor] = /(tpm\d+) \(major\/minor = (\d+)\/(\d+)\)/.exec(stdout) ?? [];
  if (name === undefined) throw new LxdError('internal', `swtpm made no device: ${stdout.trim()}`);
  const managed = name.replace('tpm', 'tpmrm');
  const manager = await numbersAt(join(context.sysDir, 'class/tpmrm', managed));
  if (!manager) throw new LxdError('internal', `The kernel made no resource manager for ${name}`);
  return { device: { major: Number(major), minor: Number(minor) }, manager };
}

/** An emulated TPM. The emulator, swtpm, makes it of the kernel's /dev/vtpmx. */
export const tpm: DeviceDriver = {
  type: 'tpm',
  schema: {
    ...anyDevice('tpm'),
    path: { check: checks.pathInside, description: 'Path inside, e.g. /dev/tpm0' },
    pathrm: {
      check: checks.pathInside,
      description: 'Path inside of its resource manager, e.g. /dev/tpmrm0',
    },
  },
  capabilities: { hotplug: true, coldplug: true },
  validate: (config) => {
    const missing = ['path', 'pathrm'].find((key) => !config[key]);
    if (missing)
      throw new LxdError(
        'invalid',
        `Failed to validate config: Invalid value for device option "${missing}": Required value`,
      );
  },
  start: async (context, { signal }) => {
    if (!(await present(join(context.devDir, 'vtpmx'))))
      throw new LxdError('invalid', 'This kernel makes no emulated TPM (no /dev/vtpmx)');
    await endEmulator(context);
    try {
      const { device, manager } = await startEmulator(context, signal);
      const { path = '', pathrm = '' } = context.config;
      const nodes = [
        { kind: 'c' as const, ...device, path },
        { kind: 'c' as const, ...manager, path: pathrm },
      ];
      return { mounts: await startNodes(context, nodes, signal, '0600'), volatile: {} };
    } catch (error) {
      await endEmulator(context);
      throw error;
    }
  },
  stop: async (context) => {
    await stopNodes(context);
    await endEmulator(context);
    return {};
  },
  remove: async (context) => {
    await rm(stateDir(context), { recursive: true, force: true });
  },
};
