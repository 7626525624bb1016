import { findKey, LxdError, toLxdError, type Config, type Devices, type InstanceSpec } from '@lxd-ts/core';
import type { InstancesContext } from '../instances/context.ts';
import { isRootDisk } from '../instances/expand.ts';

const invalid = (message: string): LxdError => new LxdError('invalid', message);

const withPool = (spec: InstanceSpec, name: string): InstanceSpec => ({
  ...spec,
  pools: { ...spec.pools, [name]: { name, driver: 'dir', config: {} } },
});

function checkDevice({ drivers }: InstancesContext, spec: InstanceSpec, name: string, device: Config): void {
  if (device['type'] === 'none') return;
  if (!device['type']) throw invalid(`Failed loading device "${name}": Missing device type in config`);
  const driver = drivers.device(device, spec);
  if (!driver) throw invalid(`Failed loading device "${name}": Unsupported device type`);
  for (const [key, value] of Object.entries(device)) {
    if (key === 'type') continue;
    const found = findKey(driver.schema, key);
    if (!found) throw invalid(`Invalid device option "${key}"`);
    const wrong = value === '' ? undefined : found.check(value);
    if (wrong !== undefined) throw invalid(`Invalid value for device option "${key}": ${wrong}`);
  }
  if (isRootDisk(device) && !device['pool']) throw invalid('Root disk entry must have a "pool" property set');
  // As LXD: a profile may name the pool of a root disk before there is such a pool.
  const { pool } = device;
  const known = !isRootDisk(device) || !pool || spec.pools[pool] ? spec : withPool(spec, pool);
  driver.validate(device, known);
}

/**
 * Each device of a profile by itself: what is missing may come from an instance or another profile.
 * @throws LxdError `invalid`
 */
export function checkProfileDevices(context: InstancesContext, devices: Devices): void {
  const { records, server } = context.services;
  const member = <T extends { config: Config; memberConfig: Record<string, Config> }>(record: T) => ({
    ...record,
    config: { ...record.config, ...record.memberConfig[server] },
  });
  const spec: InstanceSpec = {
    project: 'default',
    name: '',
    type: 'container',
    architecture: '',
    ephemeral: false,
    config: {},
    devices,
    pools: Object.fromEntries(records.list('pools').map(({ value }) => [value.name, member(value)])),
    networks: Object.fromEntries(
      records.list('networks', 'default').map(({ value }) => [value.name, member(value)]),
    ),
  };
  const paths = new Set<string>();
  for (const [name, device] of Object.entries(devices)) {
    const { type, path } = device;
    if (type === 'disk' && path) {
      if (paths.has(path))
        throw invalid(
          `Device validation failed for "${name}": More than one disk device uses the same path "${path}"`,
        );
      paths.add(path);
    }
    try {
      checkDevice(context, spec, name, device);
    } catch (error) {
      const { code, message } = toLxdError(error);
      throw new LxdError(code, `Device validation failed for "${name}": ${message}`, { cause: error });
    }
  }
}
