import { posix } from 'node:path';
import { findKey, LxdError, type Config, type Devices, type InstanceSpec } from '@lxd-ts/core';
import type { InstanceRecord } from '@lxd-ts/state';
import type { Services } from '../../services.ts';
import type { DeviceSchema } from '../shared/drivers.ts';
import type { InstancesContext } from './context.ts';
import { isRootDisk } from './expand.ts';
import { instanceSpec } from './spec.ts';

export const deviceTypes: readonly string[] =
  'none nic disk unix-char unix-block usb gpu infiniband proxy unix-hotplug tpm pci'.split(' ');

const invalid = (message: string): LxdError => new LxdError('invalid', message);

/** @throws LxdError `invalid` when a device is of no kind that there is */
export function checkDeviceTypes(devices: Devices): void {
  for (const device of Object.values(devices)) {
    const type = device['type'] ?? '';
    if (!deviceTypes.includes(type)) throw invalid(`Invalid device type ${type}`);
  }
}

function checkRoots(devices: Devices): void {
  const roots = Object.values(devices).filter(isRootDisk);
  if (roots.length === 0) throw invalid('Failed detecting root disk device: No root device could be found');
  if (roots.length > 1) throw invalid('Failed detecting root disk device: More than one root device found');
}

/** What only the records know: that what it names is there. */
function checkReferences(services: Services, project: string, name: string, device: Config): void {
  if (isRootDisk(device) && !device['pool'] && !device['source'])
    throw invalid('Root disk entry must have a "pool" property set');
  const pool = device['type'] === 'disk' ? device['pool'] : undefined;
  if (pool && !services.records.get('pools', pool))
    throw new LxdError('not-found', `Failed to get storage pool "${pool}": Storage pool not found`);
  const volume = pool ? device['source'] : undefined;
  if (pool && volume && !volume.includes('/')) {
    const found = services.records.list('volumes', pool, project, volume);
    if (found.length === 0)
      throw new LxdError('not-found', 'Failed loading custom volume: Storage volume not found');
    // Members may each have one of the name.
    if (found.every(({ value }) => value.contentType === 'block'))
      throw new LxdError('internal', 'Custom block volumes cannot be used on containers');
  }
  const network = device['type'] === 'nic' ? device['network'] : undefined;
  if (network && !services.records.get('networks', project, network))
    throw invalid(
      `Failed loading device "${name}": Failed to load network "${network}" for project "${project}": Network not found`,
    );
}

/** By the driver it will get: its options one by one, then together. */
function checkOptions(driver: DeviceSchema, device: Config, spec: InstanceSpec): void {
  const { schema } = driver;
  for (const [key, value] of Object.entries(device)) {
    if (key === 'type') continue;
    const found = findKey(schema, key);
    if (!found) throw invalid(`Invalid device option "${key}"`);
    const wrong = value === '' ? undefined : found.check(value);
    if (wrong !== undefined) throw invalid(`Invalid value for device option "${key}": ${wrong}`);
  }
  for (const [key, { required }] of Object.entries(schema)) {
    if (required && !device[key]) throw invalid(`Invalid value for device option "${key}": Required value`);
  }
  driver.validate(device, spec);
}

/** Two disks on one path: one would hide the other. */
function checkPaths(name: string, device: Config, paths: Map<string, string>): void {
  const { type, path } = device;
  if (type !== 'disk' || !path || path === '/') return;
  const clean = posix.join('/', path).replace(/(?<=.)\/$/, '');
  if (paths.has(clean)) throw invalid(`More than one disk device uses the same path "${path}"`);
  paths.set(clean, name);
}

/**
 * An instance's own devices, or with `all` those of its profiles, too.
 * @throws LxdError worded as LXD words it
 */
export function checkDevices(
  { services, drivers }: InstancesContext,
  record: InstanceRecord,
  all = true,
): void {
  const spec = instanceSpec(services, record, services.server);
  const nicNames = new Set<string>();
  const paths = new Map<string, string>();
  for (const [name, device] of Object.entries(all ? spec.devices : record.devices)) {
    try {
      checkReferences(services, record.project, name, device);
      const driver = drivers.device(device, spec);
      if (!driver && device['type'] !== 'none')
        throw invalid(`Failed loading device "${name}": Unsupported device type`);
      if (driver) checkOptions(driver, device, spec);
      checkPaths(name, device, paths);
      const nicName = device['type'] === 'nic' ? device['name'] : undefined;
      if (nicName && nicNames.has(nicName))
        throw invalid(`Invalid value for device option "name": Duplicate NIC name detected "${nicName}"`);
      if (nicName) nicNames.add(nicName);
    } catch (error) {
      if (!(error instanceof LxdError)) throw error;
      const message = `Device validation failed for "${name}": ${error.message}`;
      throw new LxdError(error.code, message, { cause: error });
    }
  }
  if (all) checkRoots(spec.devices);
}
