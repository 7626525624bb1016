import { join } from 'node:path';
import { isTrue, LxdError, validators } from '@lxd-ts/core';
import type { DeviceContext } from '../driver.ts';
import { nodeDevice, type HostNode } from '../node-device.ts';
import { attribute, entries, hexIdError, numbersAt } from '../sysfs.ts';

const padded = (number: string): string => number.padStart(3, '0');

async function find({ config, sysDir }: DeviceContext): Promise<HostNode[]> {
  const { vendorid, productid } = config;
  const root = join(sysDir, 'bus/usb/devices');
  const found: HostNode[] = [];
  for (const name of await entries(root)) {
    const dir = join(root, name);
    const [vendor, product, bus, device] = await Promise.all(
      ['idVendor', 'idProduct', 'busnum', 'devnum'].map((what) => attribute(dir, what)),
    );
    const numbers = await numbersAt(dir);
    if (!vendor || !bus || !device || !numbers) continue; // an interface of one
    if ((vendorid && vendor !== vendorid) || (productid && product !== productid)) continue;
    found.push({ kind: 'c', ...numbers, path: `/dev/bus/usb/${padded(bus)}/${padded(device)}` });
  }
  if (found.length === 0 && isTrue(config['required']))
    throw new LxdError('invalid', 'Required USB device not found');
  return found;
}

/** USB devices by who made them and what they are; all of them where neither is said. */
export const usb = nodeDevice({
  type: 'usb',
  schema: {
    vendorid: { check: hexIdError, description: 'Who made it: four hex digits', default: 'any' },
    productid: { check: hexIdError, description: 'What it is: four hex digits', default: 'any' },
    required: { check: validators.bool, description: 'Whether it must be there at start', default: 'false' },
  },
  validate: () => undefined,
  find,
});
