import { realpath } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { isTrue, LxdError, validators } from '@lxd-ts/core';
import type { DeviceContext } from '../driver.ts';
import { nodeDevice, type HostNode } from '../node-device.ts';
import { attribute, entries, eventValue, hexIdError, numbersAt } from '../sysfs.ts';

/** Of the USB device that it belongs to; undefined: to none. */
async function idsOf(
  device: string,
  sysDir: string,
): Promise<{ vendor: string; product: string } | undefined> {
  for (let dir = device; dir.startsWith(`${sysDir}/`); dir = dirname(dir)) {
    const vendor = await attribute(dir, 'idVendor');
    if (vendor) return { vendor, product: await attribute(dir, 'idProduct') };
  }
  return undefined;
}

async function find({ config, sysDir }: DeviceContext): Promise<HostNode[]> {
  const { vendorid, productid } = config;
  const found: HostNode[] = [];
  const top = await realpath(sysDir).catch(() => sysDir);
  for (const [group, kind] of [
    ['char', 'c'],
    ['block', 'b'],
  ] as const) {
    const root = join(sysDir, 'dev', group);
    for (const name of await entries(root)) {
      const device = await realpath(join(root, name)).catch(() => '');
      const ids = device ? await idsOf(device, top) : undefined;
      if (!ids || (vendorid && ids.vendor !== vendorid) || (productid && ids.product !== productid)) continue;
      const [numbers, node] = [await numbersAt(device), await eventValue(device, 'DEVNAME')];
      // What is below bus/usb is for `usb` devices.
      if (!numbers || !node || node.startsWith('bus/usb/')) continue;
      found.push({ kind, ...numbers, path: join('/dev', node) });
    }
  }
  if (found.length === 0 && isTrue(config['required']))
    throw new LxdError('invalid', 'Required Unix Hotplug device not found');
  return found;
}

/** The nodes of devices that can be plugged in, by who made them and what they are. */
export const unixHotplug = nodeDevice({
  type: 'unix-hotplug',
  schema: {
    vendorid: { check: hexIdError, description: 'Who made it: four hex digits', default: 'any' },
    productid: { check: hexIdError, description: 'What it is: four hex digits', default: 'any' },
    required: { check: validators.bool, description: 'Whether it must be there at start', default: 'false' },
  },
  validate: ({ vendorid, productid }) => {
    if (!vendorid && !productid)
      throw new LxdError('invalid', 'Unix hotplug devices require a vendorid or a productid');
  },
  find,
});
