import { type Undo, type InstanceSpec } from '@lxd-ts/core';
import { driverFor, type DeviceContext, type DeviceDriver } from '@lxd-ts/devices';
import type { LxcItem } from '@lxd-ts/liblxc';
import type { AgentContext } from '../context.ts';

type Volatile = Record<string, string | null>;

interface OpenDevice {
  driver: DeviceDriver;
  device: DeviceContext;
}

const isRoot = (options: Readonly<Record<string, string>>): boolean =>
  options['type'] === 'disk' && options['path'] === '/';

/** Every device but the root disk, in an order that does not depend on how it was written. */
function open(context: AgentContext, spec: InstanceSpec): OpenDevice[] {
  return Object.entries(spec.devices)
    .filter(([, config]) => !isRoot(config))
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, config]) => ({
      driver: driverFor(config, spec.networks),
      device: {
        host: context.host,
        dir: context.dir,
        instance: spec,
        name,
        config,
        networks: context.networks,
        volumePath: (pool, volume) => {
          const poolSpec = spec.pools[pool] ?? { name: pool, driver: 'dir', config: {} };
          return context.pools
            .handle(poolSpec)
            .volumePath({ type: 'custom', project: spec.project, name: volume });
        },
        randomId: context.randomId,
      },
    }));
}

const prefixed = (name: string, volatile: Volatile): Volatile =>
  Object.fromEntries(Object.entries(volatile).map(([key, value]) => [`volatile.${name}.${key}`, value]));

export interface StartedDevices {
  lxc: (readonly LxcItem[])[];
  volatile: Volatile;
}

/** Starts all of them, or none: what was started is pushed on `undo`. */
export async function startDevices(
  context: AgentContext,
  spec: InstanceSpec,
  undo: Undo,
  signal: AbortSignal,
): Promise<StartedDevices> {
  const lxc: (readonly LxcItem[])[] = [];
  const volatile: Volatile = {};
  for (const { driver, device } of open(context, spec)) {
    undo.push(() => driver.stop(device, { signal: AbortSignal.timeout(10_000) }));
    const started = await driver.start(device, { signal });
    lxc.push(started.lxc);
    Object.assign(volatile, prefixed(device.name, started.volatile));
  }
  return { lxc, volatile };
}

/** Stops all, each whatever becomes of the others; a failure is logged, for the container is gone already. */
export async function stopDevices(
  context: AgentContext,
  spec: InstanceSpec,
  signal: AbortSignal,
): Promise<Volatile> {
  const volatile: Volatile = {};
  for (const { driver, device } of open(context, spec)) {
    try {
      Object.assign(volatile, prefixed(device.name, await driver.stop(device, { signal })));
    } catch (error) {
      context.log.warn(`device ${device.name} of ${spec.name} did not stop cleanly`, {
        error: String(error),
      });
    }
  }
  return volatile;
}

/** Takes away what outlives a stop, before the instance is deleted. */
export async function removeDevices(
  context: AgentContext,
  spec: InstanceSpec,
  signal: AbortSignal,
): Promise<void> {
  for (const { driver, device } of open(context, spec)) await driver.remove(device, { signal });
}
