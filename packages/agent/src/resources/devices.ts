import { pciAddressOf, driverOf, usbAddressOf } from './pci.ts';
import { filled, type Tree } from './tree.ts';

const sector = 512;
const usbDir = 'sys/bus/usb/devices';
const usbHub = 9;

/** By what the first part of a name says, where nothing else does. */
function kindOf(name: string, path: string): string {
  if (name.startsWith('nvme')) return 'nvme';
  if (/\/virtio\d+\//.test(`${path}/`)) return 'virtio';
  if (/\/usb\d+\//.test(path)) return 'usb';
  if (/\/ata\d+\//.test(path)) return 'sata';
  if (/^sr\d/.test(name)) return 'cdrom';
  return /\/host\d+\//.test(path) ? 'scsi' : '';
}

const pathPattern = /^pci-/;

/** The name that a link of a directory of /dev/disk gives to a disk. */
async function linkTo(tree: Tree, directory: string, name: string, wanted?: RegExp): Promise<string> {
  for (const link of await tree.list('dev/disk', directory)) {
    if (wanted && !wanted.test(link)) continue;
    if ((await tree.target('dev/disk', directory, link)) === name) return link;
  }
  return '';
}

async function disk(tree: Tree, name: string): Promise<Record<string, unknown>> {
  const read = (...file: string[]) => tree.text('sys/class/block', name, ...file);
  const path = await tree.real('sys/class/block', name, 'device');
  const partitions = (await tree.list('sys/class/block', name)).filter((one) => one.startsWith(name));
  const udev = await tree.text('run/udev/data', `b${await read('dev')}`);
  const property = (key: string) => new RegExp(`^E:${key}=(.*)$`, 'm').exec(udev)?.[1] ?? '';
  return {
    id: name,
    device: await read('dev'),
    ...filled({
      model: await read('device/model'),
      type: kindOf(name, path),
      firmware_version: (await read('device/firmware_rev')) || (await read('device/rev')),
      serial: (await read('device/serial')) || property('ID_SERIAL_SHORT'),
      wwn: await read('wwid'),
      device_path: await linkTo(tree, 'by-path', name, pathPattern),
      pci_address: pciAddressOf(path),
      usb_address: usbAddressOf(`${path}/`),
    }),
    read_only: (await read('ro')) === '1',
    size: Number(await read('size')) * sector,
    removable: (await read('removable')) === '1',
    numa_node: Math.max(0, await tree.number(['sys/class/block', name, 'device/numa_node'])),
    block_size: Number((await read('queue/physical_block_size')) || 0),
    // 0 for those that do not turn.
    rpm: (await read('queue/rotational')) === '1' ? 1 : 0,
    device_id: await linkTo(tree, 'by-id', name),
    partitions: await Promise.all(
      partitions.map(async (one) => ({
        id: one,
        device: await read(one, 'dev'),
        read_only: (await read(one, 'ro')) === '1',
        size: Number(await read(one, 'size')) * sector,
        partition: Number(await read(one, 'partition')),
      })),
    ),
  };
}

/** Disks of the host and their partitions: LXD's ResourcesStorage. What is made of software has no device, and is none. */
export async function disks(tree: Tree): Promise<Record<string, unknown>> {
  const found: Record<string, unknown>[] = [];
  for (const name of await tree.list('sys/class/block')) {
    if (!(await tree.exists('sys/class/block', name, 'device'))) continue;
    if (await tree.exists('sys/class/block', name, 'partition')) continue;
    found.push(await disk(tree, name));
  }
  return { disks: found, total: found.length };
}

const hex = (text: string): number => parseInt(text, 16) || 0;

/** Names of USB's classes, by their numbers. */
const usbClasses: Readonly<Record<number, string>> = {
  0x01: 'Audio',
  0x02: 'Communications',
  0x03: 'Human Interface Device',
  0x05: 'Physical Interface Device',
  0x06: 'Imaging',
  0x07: 'Printer',
  0x08: 'Mass Storage',
  0x09: 'Hub',
  0x0a: 'CDC Data',
  0x0b: 'Chip/SmartCard',
  0x0d: 'Content Security',
  0x0e: 'Video',
  0x0f: 'Personal Healthcare',
  0xdc: 'Diagnostic',
  0xe0: 'Wireless',
  0xef: 'Miscellaneous Device',
  0xfe: 'Application Specific Interface',
  0xff: 'Vendor Specific Class',
};

/** Devices on USB but for hubs: LXD's ResourcesUSB. */
export async function usbDevices(tree: Tree): Promise<Record<string, unknown>> {
  const names = await tree.list(usbDir);
  const devices: Record<string, unknown>[] = [];
  for (const name of names.filter((one) => /^\d+-[\d.]+$/.test(one))) {
    const read = (file: string) => tree.text(usbDir, name, file);
    if (hex(await read('bDeviceClass')) === usbHub) continue;
    const interfaces = await Promise.all(
      names
        .filter((one) => one.startsWith(`${name}:`))
        .map(async (one) => {
          const own = async (file: string) => hex(await tree.text(usbDir, one, file));
          const [classId, subclassId] = [await own('bInterfaceClass'), await own('bInterfaceSubClass')];
          return {
            class: usbClasses[classId] ?? 'Unknown',
            class_id: classId,
            ...filled(await driverOf(tree, usbDir, one)),
            number: await own('bInterfaceNumber'),
            subclass: String(subclassId),
            subclass_id: subclassId,
          };
        }),
    );
    devices.push({
      bus_address: Number(await read('busnum')),
      device_address: Number(await read('devnum')),
      interfaces,
      vendor: await read('manufacturer'),
      vendor_id: await read('idVendor'),
      product: await read('product'),
      product_id: await read('idProduct'),
      speed: Number(await read('speed')) || 0,
    });
  }
  return { devices, total: devices.length };
}
