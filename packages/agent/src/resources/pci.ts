import type { Tree } from './tree.ts';

const pciDir = 'sys/bus/pci/devices';
const idFiles = ['usr/share/misc/pci.ids', 'usr/share/hwdata/pci.ids'];

const hex = (text: string): string => text.replace(/^0x/, '');

/** The names behind the numbers, where the host has a list of them. */
export class PciNames {
  readonly #text: string;

  private constructor(text: string) {
    this.#text = text;
  }

  static async open(tree: Tree): Promise<PciNames> {
    for (const path of idFiles) {
      const text = await tree.text(path);
      if (text !== '') return new PciNames(`\n${text}\n`);
    }
    return new PciNames('');
  }

  find(vendor: string, product: string): { vendor: string; product: string } {
    const start = this.#text.indexOf(`\n${vendor}  `);
    if (start < 0) return { vendor: '', product: '' };
    const name = this.#text.slice(start + vendor.length + 3, this.#text.indexOf('\n', start + 1));
    const rest = this.#text.slice(start + 1);
    const own = rest.slice(0, /\n[0-9a-f]{4} {2}/.exec(rest)?.index);
    const line = new RegExp(`\\n\\t${product} {2}(.*)`).exec(own)?.[1] ?? '';
    return { vendor: name, product: line };
  }
}

/** The driver of a device of any bus, and its version or the kernel's. */
export async function driverOf(
  tree: Tree,
  ...path: string[]
): Promise<{ driver: string; driver_version: string }> {
  const driver = await tree.target(...path, 'driver');
  if (driver === '') return { driver, driver_version: '' };
  const module = await tree.target(...path, 'driver/module');
  const version = module === '' ? '' : await tree.text('sys/module', module, 'version');
  return { driver, driver_version: version || (await tree.text('proc/sys/kernel/osrelease')) };
}

/** What is told alike of cards of every kind. */
export async function pciCard(
  tree: Tree,
  names: PciNames,
  address: string,
): Promise<{
  numa_node: number;
  pci_address: string;
  driver: string;
  driver_version: string;
  vendor: string;
  vendor_id: string;
  product: string;
  product_id: string;
}> {
  const read = (file: string) => tree.text(pciDir, address, file);
  const [vendorId, productId] = [hex(await read('vendor')), hex(await read('device'))];
  return {
    numa_node: Math.max(0, await tree.number([pciDir, address, 'numa_node'])),
    pci_address: address,
    ...(await driverOf(tree, pciDir, address)),
    ...names.find(vendorId, productId),
    vendor_id: vendorId,
    product_id: productId,
  };
}

/** Virtual functions and how many there may be; undefined where there are none. */
export async function sriov(
  tree: Tree,
  address: string,
  card: (address: string) => Promise<Record<string, unknown>>,
): Promise<Record<string, unknown> | undefined> {
  const maximum = await tree.number([pciDir, address, 'sriov_totalvfs']);
  if (maximum === 0) return undefined;
  const links = (await tree.list(pciDir, address)).filter((name) => name.startsWith('virtfn'));
  const vfs = await Promise.all(links.map(async (name) => card(await tree.target(pciDir, address, name))));
  return {
    current_vfs: await tree.number([pciDir, address, 'sriov_numvfs']),
    maximum_vfs: maximum,
    vfs: vfs.length > 0 ? vfs : null,
  };
}

/** Whether it is a virtual function, which is told with the card that it is of. */
export const isVirtual = (tree: Tree, address: string): Promise<boolean> =>
  tree.exists(pciDir, address, 'physfn');

/** The address of the PCI device that something is below of; ''. */
export const pciAddressOf = (path: string): string =>
  /([0-9a-f]{4,}:[0-9a-f]{2}:[0-9a-f]{2}\.[0-9a-f])(?!.*\/[0-9a-f]{4,}:[0-9a-f]{2}:[0-9a-f]{2}\.)/.exec(
    path,
  )?.[1] ?? '';

/** `1-2` of a USB device that something is below of; ''. */
export const usbAddressOf = (path: string): string =>
  /\/usb\d+\/(?:[^/]+\/)*?(\d+-[\d.]+)\//.exec(path)?.[1] ?? '';

/** LXD's ResourcesPCI. */
export async function pciDevices(tree: Tree, names: PciNames): Promise<Record<string, unknown>> {
  const devices = await Promise.all(
    (await tree.list(pciDir)).map(async (address) => ({
      ...(await pciCard(tree, names, address)),
      iommu_group: Number((await tree.target(pciDir, address, 'iommu_group')) || 0),
      vpd: {},
    })),
  );
  return { devices, total: devices.length };
}

/** The names of a class of devices (`net`, `drm`) by the PCI device that each is of; cards without any are there too. */
export async function byPciDevice(tree: Tree, kind: 'net' | 'drm'): Promise<Map<string, string[]>> {
  const found = new Map<string, string[]>();
  for (const address of await tree.list(pciDir)) {
    // 02 are network cards, 03 are displays.
    const wanted = kind === 'net' ? '0x02' : '0x03';
    if ((await tree.text(pciDir, address, 'class')).startsWith(wanted)) found.set(address, []);
  }
  for (const name of await tree.list('sys/class', kind)) {
    const path = await tree.real('sys/class', kind, name, 'device');
    const address = usbAddressOf(`${path}/`) === '' ? pciAddressOf(path) : '';
    if (address !== '') found.set(address, [...(found.get(address) ?? []), name]);
  }
  return found;
}
