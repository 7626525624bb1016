import { LxdError, toLxdError, type InstanceSpec, type Undo } from '@lxd-ts/core';
import {
  driverFor,
  lxcLines,
  type DeviceContext,
  type DeviceDriver,
  type DeviceVolumes,
  type DeviceStart,
} from '@lxd-ts/devices';
import type { LxcItem } from '@lxd-ts/liblxc';
import type { AgentContext } from '../context.ts';
import { holderOf, type Hold } from '../volume-holds.ts';
import type { DeviceState, DeviceStates } from './run-state.ts';

export type Volatile = Record<string, string | null>;

export interface OpenDevice {
  driver: DeviceDriver;
  device: DeviceContext;
}

const isRoot = (options: Readonly<Record<string, string>>): boolean =>
  options['type'] === 'disk' && options['path'] === '/';

/** Of the instance's pools, for one of its devices. */
function volumesFor(context: AgentContext, spec: InstanceSpec, device: string): DeviceVolumes {
  const holdOf = (pool: string, name: string): Hold | undefined => {
    const of = spec.pools[pool];
    const volume = { type: 'custom', project: spec.project, name } as const;
    return of && { pool: of, volume, holder: holderOf(spec, device) };
  };
  return {
    hold: async (pool, volume, options) => {
      const hold = holdOf(pool, volume);
      if (!hold) throw new LxdError('not-found', `The storage pool "${pool}" is not known here`);
      return context.holds.hold(hold, options);
    },
    release: async (pool, volume, options) => {
      const hold = holdOf(pool, volume);
      if (hold) await context.holds.release(hold, options);
    },
  };
}

export function openDevice(context: AgentContext, spec: InstanceSpec, name: string): OpenDevice {
  const config = spec.devices[name] ?? { type: 'none' };
  return {
    driver: driverFor(config, spec.networks),
    device: {
      host: context.host,
      dir: context.dir,
      instance: spec,
      name,
      config,
      networks: context.networks,
      volumes: volumesFor(context, spec, name),
      volumeConfig: (pool, volume) => spec.volumes?.[`${pool}/${volume}`] ?? {},
      devDir: context.devDir,
      sysDir: context.sysDir,
      forwarder: context.forwarder,
      randomId: context.randomId,
    },
  };
}

/** Every device but the root disk, in an order that does not depend on how it was written. */
export const deviceNames = ({ devices }: Pick<InstanceSpec, 'devices'>): string[] =>
  Object.entries(devices)
    .filter(([, config]) => !isRoot(config))
    .map(([name]) => name)
    .sort();

const open = (context: AgentContext, spec: InstanceSpec): OpenDevice[] =>
  deviceNames(spec).map((name) => openDevice(context, spec, name));

/** A device's changes as keys of the instance. */
export const prefixed = (name: string, volatile: Volatile): Volatile =>
  Object.fromEntries(Object.entries(volatile).map(([key, value]) => [`volatile.${name}.${key}`, value]));

/** The specification with these changes in its configuration. */
export function withVolatile(spec: InstanceSpec, volatile: Volatile): InstanceSpec {
  const config: Record<string, string> = { ...spec.config };
  for (const [key, value] of Object.entries(volatile)) {
    if (value === null) Reflect.deleteProperty(config, key);
    else config[key] = value;
  }
  return { ...spec, config: config };
}

export interface StartedDevices {
  lxc: (readonly LxcItem[])[];
  volatile: Volatile;
  states: DeviceStates;
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
  const states: Record<string, DeviceState> = {};
  for (const { driver, device } of open(context, spec)) {
    let start: DeviceStart = { volatile: {} };
    undo.push(() => {
      const instance = withVolatile(spec, prefixed(device.name, start.volatile));
      return driver.stop({ ...device, instance }, { signal: AbortSignal.timeout(10_000) });
    });
    start = await driver.start(device, { signal });
    states[device.name] = { start, phase: driver.settle ? 'inside' : 'settled' };
    lxc.push(lxcLines(start));
    Object.assign(volatile, prefixed(device.name, start.volatile));
  }
  return { lxc, volatile, states };
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

/** @throws LxdError `invalid` when this host cannot give one of these devices */
export async function checkAdded(
  context: AgentContext,
  spec: InstanceSpec,
  names: readonly string[],
): Promise<void> {
  for (const name of names) {
    const { driver, device } = openDevice(context, spec, name);
    try {
      await driver.check?.(device);
    } catch (error) {
      const { code, message } = toLxdError(error);
      throw new LxdError(code, `Failed add validation for device "${name}": ${message}`, { cause: error });
    }
  }
}
