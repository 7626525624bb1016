import { access } from 'node:fs/promises';
import { isTrue, LxdError, toLxdError, type Config, type InstanceSpec } from '@lxd-ts/core';
import type { LxcItem } from '@lxd-ts/liblxc';
import type { AgentContext } from '../context.ts';

const invalid = (message: string): LxdError => new LxdError('invalid', message);

const exists = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  );

const moduleName = /^[A-Za-z0-9_-]+$/;

/** Those that are not there yet are loaded; one that is built in counts as there. */
async function loadModules({ host, sysDir }: AgentContext, list: string, signal: AbortSignal): Promise<void> {
  for (const name of list.split(',').map((one) => one.trim())) {
    if (name === '') continue;
    if (!moduleName.test(name))
      throw invalid(`"linux.kernel_modules" names "${name}", which is no name of a module`);
    if (await exists(`${sysDir}/module/${name.replaceAll('-', '_')}`)) continue;
    await host.run(['modprobe', '-b', '--', name], { signal }).catch((error: unknown) => {
      throw new LxdError('internal', `Failed to load kernel module '${name}': ${toLxdError(error).message}`, {
        cause: error,
      });
    });
  }
}

const nvidiaHook = '/usr/share/lxc/hooks/nvidia';
const nvidiaTool = '/usr/bin/nvidia-container-cli';

async function checkNvidia(config: Config): Promise<void> {
  if (!isTrue(config['nvidia.runtime'])) return;
  if (isTrue(config['security.privileged']))
    throw invalid('nvidia.runtime is incompatible with privileged containers');
  if (!(await exists(nvidiaTool))) throw invalid("The NVIDIA container tools couldn't be found");
  if (!(await exists(nvidiaHook))) throw invalid("The NVIDIA LXC hook couldn't be found");
}

/** What the host must have before it starts, or before it is changed while it runs. @throws LxdError */
export async function prepareHost(
  context: AgentContext,
  { config }: InstanceSpec,
  signal: AbortSignal,
): Promise<void> {
  await checkNvidia(config);
  if (config['linux.kernel_modules']) await loadModules(context, config['linux.kernel_modules'], signal);
}

/** The hook mounts the driver; it reads what is wanted from the environment. */
export function nvidiaItems(config: Config): LxcItem[] {
  if (!isTrue(config['nvidia.runtime'])) return [];
  const required = (['cuda', 'driver'] as const).flatMap((what): LxcItem[] => {
    const value = config[`nvidia.require.${what}`];
    return value ? [['lxc.environment', `NVIDIA_REQUIRE_${what.toUpperCase()}=${value}`]] : [];
  });
  return [
    // Devices come by GPU devices, one by one.
    ['lxc.environment', 'NVIDIA_VISIBLE_DEVICES=none'],
    [
      'lxc.environment',
      `NVIDIA_DRIVER_CAPABILITIES=${config['nvidia.driver.capabilities'] || 'compute,utility'}`,
    ],
    ...required,
    ['lxc.hook.mount', nvidiaHook],
  ];
}
