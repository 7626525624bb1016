import { graphicsCards, networkCards } from './cards.ts';
import { disks, usbDevices } from './devices.ts';
import { memory } from './memory.ts';
import { PciNames, pciDevices } from './pci.ts';
import { processors } from './processors.ts';
import { system } from './system.ts';
import { Tree } from './tree.ts';

/** What this machine has, as LXD's Resources; read when it is asked for. */
export async function resources(tree = new Tree()): Promise<Record<string, unknown>> {
  const names = await PciNames.open(tree);
  const [cpu, own, gpu, network, storage, usb, pci, machine] = await Promise.all([
    processors(tree),
    memory(tree),
    graphicsCards(tree, names),
    networkCards(tree, names),
    disks(tree),
    usbDevices(tree),
    pciDevices(tree, names),
    system(tree),
  ]);
  return { cpu, memory: own, gpu, network, storage, usb, pci, system: machine };
}
