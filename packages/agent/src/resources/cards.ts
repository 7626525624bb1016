import { byPciDevice, driverOf, isVirtual, pciCard, sriov, usbAddressOf, type PciNames } from './pci.ts';
import { filled, type Tree } from './tree.ts';

const loopback = 772;
const infiniband = 32;

/** `254:0` of a device node of a class. */
const numbersOf = (tree: Tree, kind: string, name: string): Promise<string> =>
  tree.text('sys/class', kind, name, 'dev');

async function infinibandOf(tree: Tree, device: string, port: number): Promise<Record<string, string>> {
  const found: Record<string, string> = {};
  for (const [kind, key] of [
    ['infiniband_mad', 'issm'],
    ['infiniband_mad', 'mad'],
    ['infiniband_verbs', 'verb'],
  ] as const) {
    for (const name of await tree.list(device, kind)) {
      const wanted =
        key === 'issm' ? name.startsWith('issm') : key === 'mad' ? name.startsWith('umad') : true;
      const own = key === 'verb' || (await tree.number([device, kind, name, 'port'], port + 1)) === port + 1;
      if (!wanted || !own) continue;
      found[`${key}_name`] = name;
      found[`${key}_device`] = await tree.text(device, kind, name, 'dev');
    }
  }
  return found;
}

async function port(tree: Tree, name: string): Promise<Record<string, unknown>> {
  const read = (file: string) => tree.text('sys/class/net', name, file);
  const id = await tree.number(['sys/class/net', name, 'dev_port']);
  const type = Number(await read('type'));
  // Of one that is down nothing is known.
  const [speed, duplex] = [Number(await read('speed')), await read('duplex')];
  return {
    id: name,
    ...filled({
      address: await read('address'),
      link_speed: speed > 0 ? speed : 0,
      link_duplex: duplex === 'unknown' ? '' : duplex,
    }),
    port: id,
    protocol: type === infiniband ? 'infiniband' : 'ethernet',
    auto_negotiation: false,
    link_detected: (await read('carrier')) === '1',
    ...(type === infiniband
      ? { infiniband: await infinibandOf(tree, `sys/class/net/${name}/device`, id) }
      : {}),
  };
}

/** Network cards of the host with their interfaces: LXD's ResourcesNetwork. What is made of software is no card. */
export async function networkCards(tree: Tree, names: PciNames): Promise<Record<string, unknown>> {
  const onPci = await byPciDevice(tree, 'net');
  const cardAt = async (address: string): Promise<Record<string, unknown>> => {
    const own = onPci.get(address) ?? [];
    const functions = await sriov(tree, address, cardAt);
    return {
      ...filled(await pciCard(tree, names, address)),
      numa_node: (await pciCard(tree, names, address)).numa_node,
      ...(own.length > 0 ? { ports: await Promise.all(own.map((name) => port(tree, name))) } : {}),
      ...(functions ? { sriov: functions } : {}),
    };
  };
  const cards: Record<string, unknown>[] = [];
  for (const address of onPci.keys())
    if (!(await isVirtual(tree, address))) cards.push(await cardAt(address));
  const seen = new Set([...onPci.values()].flat());
  for (const name of await tree.list('sys/class/net')) {
    const device = await tree.real('sys/class/net', name, 'device');
    if (seen.has(name) || device === '' || (await tree.number(['sys/class/net', name, 'type'])) === loopback)
      continue;
    cards.push({
      ...filled({
        ...(await driverOf(tree, 'sys/class/net', name, 'device')),
        usb_address: usbAddressOf(`${device}/`),
      }),
      numa_node: 0,
      ports: [await port(tree, name)],
    });
  }
  return { cards, total: cards.length };
}

async function drm(tree: Tree, names: readonly string[]): Promise<Record<string, unknown> | undefined> {
  const find = (prefix: string) => names.find((name) => new RegExp(`^${prefix}\\d+$`).test(name)) ?? '';
  const [card, control, render] = [find('card'), find('controlD'), find('renderD')];
  if (card === '' && render === '') return undefined;
  const device = (name: string) => (name === '' ? Promise.resolve('') : numbersOf(tree, 'drm', name));
  return {
    id: Number(/\d+$/.exec(card)?.[0] ?? 0),
    ...filled({
      card_name: card,
      card_device: await device(card),
      control_name: control,
      control_device: await device(control),
      render_name: render,
      render_device: await device(render),
    }),
  };
}

/** What NVIDIA's driver tells in /proc. */
async function nvidia(tree: Tree, address: string): Promise<Record<string, unknown> | undefined> {
  const information = await tree.text('proc/driver/nvidia/gpus', address, 'information');
  if (information === '') return undefined;
  const field = (name: string) => new RegExp(`^${name}:\\s*(.*)$`, 'm').exec(information)?.[1]?.trim() ?? '';
  const minor = field('Device Minor');
  const version = /Kernel Module\s+(\S+)/.exec(await tree.text('proc/driver/nvidia/version'))?.[1] ?? '';
  return filled({
    nvrm_version: version,
    model: field('Model'),
    uuid: field('GPU UUID'),
    card_name: minor === '' ? '' : `nvidia${minor}`,
    card_device: minor === '' ? '' : `195:${minor}`,
  });
}

/** Mediated devices that a card can be split into; undefined where there are none. */
async function mdev(tree: Tree, address: string): Promise<Record<string, unknown> | undefined> {
  const dir = `sys/bus/pci/devices/${address}/mdev_supported_types`;
  const types = await tree.list(dir);
  if (types.length === 0) return undefined;
  const entries = await Promise.all(
    types.map(async (type) => [
      type,
      {
        ...filled({
          api: await tree.text(dir, type, 'device_api'),
          name: await tree.text(dir, type, 'name'),
          description: await tree.text(dir, type, 'description'),
        }),
        available: await tree.number([dir, type, 'available_instances']),
        devices: await tree.list(dir, type, 'devices'),
      },
    ]),
  );
  return Object.fromEntries(entries) as Record<string, unknown>;
}

/** Graphics cards: LXD's ResourcesGPU. */
export async function graphicsCards(tree: Tree, names: PciNames): Promise<Record<string, unknown>> {
  const onPci = await byPciDevice(tree, 'drm');
  const cardAt = async (address: string): Promise<Record<string, unknown>> => {
    const card = await pciCard(tree, names, address);
    const parts = {
      drm: await drm(tree, onPci.get(address) ?? []),
      nvidia: await nvidia(tree, address),
      mdev: await mdev(tree, address),
      sriov: await sriov(tree, address, cardAt),
    };
    return { ...filled(card), numa_node: card.numa_node, ...filled(parts) };
  };
  const cards: Record<string, unknown>[] = [];
  for (const address of onPci.keys())
    if (!(await isVirtual(tree, address))) cards.push(await cardAt(address));
  return { cards, total: cards.length };
}
