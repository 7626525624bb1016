import { LxdError, type Config, type Devices } from '@lxd-ts/core';
import type { Services } from '../../services.ts';
import { isRootDisk } from './expand.ts';

const types = 'none nic disk unix-char unix-block usb gpu infiniband proxy unix-hotplug tpm pci'.split(' ');

const invalid = (message: string): LxdError => new LxdError('invalid', message);

/** @throws LxdError `invalid` when a device is of no kind that there is */
export function checkDeviceTypes(devices: Devices): void {
  for (const device of Object.values(devices)) {
    const type = device['type'] ?? '';
    if (!types.includes(type)) throw invalid(`Invalid device type ${type}`);
  }
}

function checkRoots(devices: Devices): void {
  const roots = Object.values(devices).filter(isRootDisk);
  if (roots.length === 0) throw invalid('Failed detecting root disk device: No root device could be found');
  if (roots.length > 1) throw invalid('Failed detecting root disk device: More than one root device found');
}

/** What only the records know: that what it names is there. */
function checkReferences(services: Services, project: string, name: string, device: Config): void {
  if (isRootDisk(device) && !device['pool']) throw invalid('Root disk entry must have a "pool" property set');
  const pool = device['type'] === 'disk' ? device['pool'] : undefined;
  if (pool && !services.records.get('pools', pool))
    throw new LxdError('not-found', `Failed to get storage pool "${pool}": Storage pool not found`);
  const network = device['type'] === 'nic' ? device['network'] : undefined;
  if (network && !services.records.get('networks', project, network))
    throw invalid(
      `Failed loading device "${name}": Failed to load network "${network}" for project "${project}": Network not found`,
    );
}

/** A kind of check of one device, by its driver. */
export type DeviceCheck = (name: string, device: Config) => void;

/**
 * All devices of an instance, expanded.
 * @throws LxdError worded as LXD words it
 */
export function checkDevices(
  services: Services,
  project: string,
  devices: Devices,
  check: DeviceCheck,
): void {
  const nicNames = new Set<string>();
  for (const [name, device] of Object.entries(devices)) {
    try {
      checkReferences(services, project, name, device);
      check(name, device);
      const nicName = device['type'] === 'nic' ? device['name'] : undefined;
      if (nicName && nicNames.has(nicName))
        throw invalid(`Invalid value for device option "name": Duplicate NIC name detected "${nicName}"`);
      if (nicName) nicNames.add(nicName);
    } catch (error) {
      if (!(error instanceof LxdError)) throw error;
      throw new LxdError(error.code, `Device validation failed for "${name}": ${error.message}`, {
        cause: error,
      });
    }
  }
  checkRoots(devices);
}
