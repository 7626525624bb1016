import { LxdError, type Config, type NetworkSpec } from '@lxd-ts/core';
import type { DeviceDriver } from './driver.ts';
import { disk } from './drivers/disk.ts';
import { gpu } from './drivers/gpu.ts';
import { infiniband } from './drivers/infiniband.ts';
import { nicBridged } from './drivers/nic-bridged.ts';
import { nicMacvlan } from './drivers/nic-macvlan.ts';
import { nicP2p } from './drivers/nic-p2p.ts';
import { nicPhysical } from './drivers/nic-physical.ts';
import { nicRouted } from './drivers/nic-routed.ts';
import { none } from './drivers/none.ts';
import { pci } from './drivers/pci.ts';
import { proxy } from './drivers/proxy.ts';
import { tpm } from './drivers/tpm.ts';
import { unixBlock } from './drivers/unix-block.ts';
import { unixChar } from './drivers/unix-char.ts';
import { unixHotplug } from './drivers/unix-hotplug.ts';
import { usb } from './drivers/usb.ts';

/** Every device driver there is. */
export const deviceDrivers: readonly DeviceDriver[] = [
  disk,
  gpu,
  infiniband,
  nicBridged,
  nicMacvlan,
  nicP2p,
  nicPhysical,
  nicRouted,
  none,
  pci,
  proxy,
  tpm,
  unixBlock,
  unixChar,
  unixHotplug,
  usb,
];

/** A managed network's type → how NICs join it. */
const nicTypes: Readonly<Record<string, string>> = { bridge: 'bridged' };

/** `disk`, or for NICs `nic-bridged`: from the network they name, or from `nictype`. */
function typeOf(config: Config, networks: Readonly<Record<string, NetworkSpec>>): string {
  const { type = '', nictype = '', network } = config;
  if (type === 'infiniband') return ['physical', 'sriov'].includes(nictype) ? type : '';
  if (type !== 'nic') return type;
  if (!network) return `nic-${nictype}`;
  // One that is not there is told of by the driver that most NICs have.
  const managed = Object.hasOwn(networks, network) ? networks[network]?.type : undefined;
  return `nic-${nicTypes[managed ?? 'bridge'] ?? ''}`;
}

/** @throws LxdError `invalid` for a type that is not known */
export function driverFor(config: Config, networks: Readonly<Record<string, NetworkSpec>>): DeviceDriver {
  const type = typeOf(config, networks);
  const found = deviceDrivers.find((driver) => driver.type === type);
  if (!found) throw new LxdError('invalid', 'Unsupported device type');
  return found;
}
