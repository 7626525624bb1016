import { stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { LxdError, validators, type Config } from '@lxd-ts/core';
import type { DeviceContext } from '../driver.ts';
import { nodeDevice, numbersOf, type HostNode } from '../node-device.ts';
import { attribute, entries, eventValue, hexId, hexIdError, numbersAt } from '../sysfs.ts';

interface Card {
  /** Of the DRM: 0 for card0. */
  id: string;
  vendor: string;
  product: string;
  pci: string;
  nodes: HostNode[];
}

const nvidia = '10de';
const invalid = (message: string): LxdError => new LxdError('invalid', message);

/** `00:02.0` in full. */
const fullAddress = (pci: string): string => (/^[^:]+:[^:]+$/.test(pci) ? `0000:${pci}` : pci).toLowerCase();

const pciError = (value: string): string | undefined =>
  /^([0-9a-f]{4}:)?[0-9a-f]{2}:[0-9a-f]{2}\.[0-9a-f]$/i.test(value) ? undefined : 'Invalid PCI address';

async function cardsOf(sysDir: string): Promise<Card[]> {
  const root = join(sysDir, 'class/drm');
  const cards: Card[] = [];
  for (const name of await entries(root)) {
    const id = /^card(\d+)$/.exec(name)?.[1];
    if (id === undefined) continue;
    const device = join(root, name, 'device');
    const nodes: HostNode[] = [];
    for (const node of await entries(join(device, 'drm'))) {
      const numbers = await numbersAt(join(device, 'drm', node));
      if (numbers) nodes.push({ kind: 'c', ...numbers, path: `/dev/dri/${node}` });
    }
    const [vendor, product, pci] = await Promise.all([
      attribute(device, 'vendor'),
      attribute(device, 'device'),
      eventValue(device, 'PCI_SLOT_NAME'),
    ]);
    cards.push({ id, vendor: hexId(vendor), product: hexId(product), pci: pci.toLowerCase(), nodes });
  }
  return cards;
}

const wanted =
  ({ id, pci, vendorid, productid }: Config) =>
  (card: Card): boolean =>
    (!id || card.id === id) &&
    (!pci || card.pci === fullAddress(pci)) &&
    (!vendorid || card.vendor === vendorid) &&
    (!productid || card.product === productid);

/** The nodes of NVIDIA's driver: those of these cards, and those that are for all. */
async function nvidiaNodes({ devDir, sysDir }: DeviceContext, cards: readonly Card[]): Promise<HostNode[]> {
  const proc = join(dirname(sysDir), 'proc/driver/nvidia/gpus');
  const minors = await Promise.all(
    cards.map(
      async ({ pci }) => /Device Minor:\s*(\d+)/.exec(await attribute(join(proc, pci), 'information'))?.[1],
    ),
  );
  const names = (await entries(devDir)).filter((name) => {
    const own = /^nvidia(\d+)$/.exec(name)?.[1];
    return own === undefined ? /^nvidia(ctl|-.+)$/.test(name) : minors.includes(own);
  });
  const nodes: HostNode[] = [];
  for (const name of names) {
    const found = await stat(join(devDir, name)).catch(() => undefined);
    if (found?.isCharacterDevice()) nodes.push({ kind: 'c', ...numbersOf(found.rdev), path: `/dev/${name}` });
  }
  return nodes;
}

async function find(context: DeviceContext): Promise<HostNode[]> {
  if (context.config['gputype'] === 'mig') throw invalid('No GPU of this host has been partitioned (MIG)');
  const cards = (await cardsOf(context.sysDir)).filter(wanted(context.config));
  if (cards.length === 0) throw invalid('Failed to detect requested GPU device');
  const ofNvidia = cards.filter(({ vendor }) => vendor === nvidia);
  const own = ofNvidia.length > 0 ? await nvidiaNodes(context, ofNvidia) : [];
  return [...cards.flatMap(({ nodes }) => nodes), ...own];
}

function checkMig(config: Config): void {
  const both = config['mig.gi'] && config['mig.ci'];
  if (!config['mig.uuid'] && !both)
    throw invalid('Either "mig.uuid" or both "mig.gi" and "mig.ci" must be set');
}

/** Graphics cards: all, or those that are told by number, PCI address, or maker and model. */
export const gpu = nodeDevice({
  type: 'gpu',
  schema: {
    gputype: { check: validators.any, description: 'Kind of GPU', default: 'physical' },
    id: { check: validators.any, description: 'Number of the card (DRM)', default: 'any' },
    pci: { check: pciError, description: 'PCI address', default: 'any' },
    vendorid: { check: hexIdError, description: 'Who made it: four hex digits', default: 'any' },
    productid: { check: hexIdError, description: 'What it is: four hex digits', default: 'any' },
    'mig.gi': { check: validators.unsigned, description: 'MIG instance of the GPU' },
    'mig.ci': { check: validators.unsigned, description: 'MIG instance for computing' },
    'mig.uuid': { check: validators.any, description: 'MIG device' },
  },
  validate: (config) => {
    const { gputype = '' } = config;
    // For virtual machines only.
    if (gputype === 'mdev' || gputype === 'sriov') throw invalid('Unsupported device type');
    if (gputype === 'mig') checkMig(config);
    for (const [key, others] of [
      ['pci', ['id', 'productid', 'vendorid']],
      ['id', ['pci', 'productid', 'vendorid']],
    ] as const) {
      const twice = config[key] ? others.find((other) => config[other]) : undefined;
      if (twice) throw invalid(`Cannot use "${twice}" when when "${key}" is set`);
    }
  },
  find,
});
