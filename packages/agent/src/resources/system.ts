import type { Tree } from './tree.ts';

/** By the number of SMBIOS. */
const chassisTypes: Readonly<Record<number, string>> = {
  3: 'Desktop',
  4: 'Low Profile Desktop',
  5: 'Pizza Box',
  6: 'Mini Tower',
  7: 'Tower',
  8: 'Portable',
  9: 'Laptop',
  10: 'Notebook',
  13: 'All in One',
  14: 'Sub Notebook',
  17: 'Main Server Chassis',
  22: 'RAID Chassis',
  23: 'Rack Mount Chassis',
  28: 'Blade',
  30: 'Tablet',
  31: 'Convertible',
  32: 'Detachable',
  35: 'Mini PC',
  36: 'Stick PC',
};

/** What the firmware says of the machine: LXD's ResourcesSystem. Empty where it says nothing. */
export async function system(tree: Tree): Promise<Record<string, unknown>> {
  const dmi = (name: string) => tree.text('sys/class/dmi/id', name);
  const [vendor, product] = [await dmi('sys_vendor'), await dmi('product_name')];
  const there = await tree.exists('sys/class/dmi/id');
  const virtual = /qemu|kvm|vmware|virtualbox|virtual machine|bochs|xen/i.test(`${vendor} ${product}`);
  const inContainer = await tree.exists('run/systemd/container');
  const type = virtual ? 'virtual-machine' : there ? 'physical' : inContainer ? 'container' : 'unknown';
  return {
    uuid: await dmi('product_uuid'),
    vendor,
    product,
    family: await dmi('product_family'),
    version: await dmi('product_version'),
    sku: await dmi('product_sku'),
    serial: await dmi('product_serial'),
    type,
    firmware: there
      ? { vendor: await dmi('bios_vendor'), date: await dmi('bios_date'), version: await dmi('bios_version') }
      : null,
    chassis: there
      ? {
          vendor: await dmi('chassis_vendor'),
          type: chassisTypes[Number(await dmi('chassis_type'))] ?? 'Other',
          serial: await dmi('chassis_serial'),
          version: await dmi('chassis_version'),
        }
      : null,
    motherboard: there
      ? {
          vendor: await dmi('board_vendor'),
          product: await dmi('board_name'),
          serial: await dmi('board_serial'),
          version: await dmi('board_version'),
        }
      : null,
  };
}
