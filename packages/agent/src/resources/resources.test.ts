import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { resources } from './resources.ts';
import { Tree } from './tree.ts';

let root: string;

const file = (path: string, text: string): void => {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), `${text}\n`);
};
const files = (directory: string, all: Record<string, string>): void => {
  for (const [name, text] of Object.entries(all)) file(join(directory, name), text);
};
const link = (path: string, to: string): void => {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  mkdirSync(join(root, to), { recursive: true });
  symlinkSync(join(root, to), join(root, path));
};

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'lxd-ts-resources-'));
});
afterEach(() => rmSync(root, { recursive: true }));

type Found = Record<string, Record<string, unknown>>;
const found = async (): Promise<Found> => (await resources(new Tree(root))) as Found;

/** A PCI device, where the kernel has it. */
function pci(address: string, all: Record<string, string>): string {
  const place = `sys/devices/pci0000:00/${address}`;
  files(place, all);
  link(`sys/bus/pci/devices/${address}`, place);
  return place;
}

test('a machine that tells nothing has nothing', async () => {
  expect(await found()).toMatchObject({
    cpu: { sockets: [], total: 0 },
    memory: { nodes: null, total: 0 },
    gpu: { cards: [], total: 0 },
    network: { cards: [], total: 0 },
    storage: { disks: [], total: 0 },
    usb: { devices: [], total: 0 },
    pci: { devices: [], total: 0 },
    system: { type: 'unknown', firmware: null },
  });
});

test('two sockets with two threads a core, on two NUMA nodes', async () => {
  file('proc/cpuinfo', 'processor : 0\nvendor_id : GenuineIntel\nmodel name : A CPU\n\nprocessor : 1\n');
  for (let id = 0; id < 4; id++) {
    const cpu = `sys/devices/system/cpu/cpu${id}`;
    files(`${cpu}/topology`, { physical_package_id: String(id >> 1), core_id: '5', die_id: '0' });
    files(`${cpu}/cpufreq`, {
      scaling_cur_freq: '2000000',
      cpuinfo_min_freq: '800000',
      cpuinfo_max_freq: '3500000',
    });
    files(`${cpu}/cache/index0`, { level: '1', type: 'Data', size: '32K' });
    if (id > 0) file(`${cpu}/online`, id === 3 ? '0' : '1');
  }
  file('sys/devices/system/cpu/isolated', '2');
  file('sys/devices/system/node/node0/cpulist', '0-1');
  file('sys/devices/system/node/node1/cpulist', '2,3');
  const thread = (id: number, more: object) => ({
    id,
    thread: id % 2,
    numa_node: id >> 1,
    online: true,
    isolated: false,
    ...more,
  });
  const socket = (index: number, threads: object[]) => ({
    name: 'A CPU',
    vendor: 'GenuineIntel',
    socket: index,
    frequency: 2000,
    frequency_minimum: 800,
    frequency_turbo: 3500,
    cache: [{ level: 1, type: 'Data', size: 32_768 }],
    cores: [{ core: 5, die: 0, frequency: 2000, threads }],
  });
  const { cpu } = await found();
  expect(cpu).toMatchObject({ total: 4 });
  expect(cpu?.['sockets']).toEqual([
    socket(0, [thread(0, {}), thread(1, {})]),
    socket(1, [thread(2, { isolated: true }), thread(3, { online: false })]),
  ]);
});

test('memory with huge pages, by the blocks that are there', async () => {
  file(
    'proc/meminfo',
    'MemTotal: 1000000 kB\nMemFree: 1 kB\nMemAvailable: 100000 kB\nHugePages_Total: 4\nHugePages_Free: 1\nHugepagesize: 2048 kB',
  );
  file('sys/devices/system/memory/block_size_bytes', '8000000');
  for (const name of ['memory0', 'memory7', 'power']) {
    mkdirSync(join(root, 'sys/devices/system/memory', name), { recursive: true });
    mkdirSync(join(root, 'sys/devices/system/node/node0', name), { recursive: true });
  }
  file(
    'sys/devices/system/node/node0/meminfo',
    'Node 0 MemTotal: 1000000 kB\nNode 0 MemUsed: 5 kB\nNode 0 HugePages_Total: 4\nNode 0 HugePages_Free: 4',
  );
  const { memory } = await found();
  expect(memory).toEqual({
    nodes: [
      { numa_node: 0, hugepages_used: 0, hugepages_total: 8 << 20, used: 5 << 10, total: 2 * 0x8000000 },
    ],
    hugepages_used: 6 << 20,
    hugepages_total: 8 << 20,
    hugepages_size: 2 << 20,
    used: 2 * 0x8000000 - 100_000 * 1024,
    total: 2 * 0x8000000,
  });
});

test('a graphics card of NVIDIA that can be split, and one with virtual functions', async () => {
  file(
    'usr/share/misc/pci.ids',
    '10de  NVIDIA Corporation\n\t1db4  GV100GL\n8086  Intel Corporation\n\t56c0  Flex 170',
  );
  const first = pci('0000:01:00.0', {
    class: '0x030200',
    vendor: '0x10de',
    device: '0x1db4',
    numa_node: '-1',
  });
  link(`${first}/driver`, 'sys/bus/pci/drivers/nvidia');
  link('sys/bus/pci/drivers/nvidia/module', 'sys/module/nvidia');
  file('sys/module/nvidia/version', '550.1');
  files(`${first}/drm/card0`, { dev: '226:0' });
  files(`${first}/drm/renderD128`, { dev: '226:128' });
  for (const name of ['card0', 'renderD128']) {
    link(`sys/class/drm/${name}`, `${first}/drm/${name}`);
    link(`${first}/drm/${name}/device`, first);
  }
  file(
    'proc/driver/nvidia/gpus/0000:01:00.0/information',
    'Model: \t Tesla V100\nGPU UUID: \t GPU-1\nDevice Minor: \t 0',
  );
  file('proc/driver/nvidia/version', 'NVRM version: NVIDIA UNIX x86_64 Kernel Module  550.1  Thu');
  files(`${first}/mdev_supported_types/nvidia-1`, {
    device_api: 'vfio-pci',
    available_instances: '4',
    name: 'V100-1',
  });
  const second = pci('0000:02:00.0', {
    class: '0x038000',
    vendor: '0x8086',
    device: '0x56c0',
    numa_node: '1',
    sriov_totalvfs: '2',
    sriov_numvfs: '1',
  });
  const virtual = pci('0000:02:00.1', { class: '0x038000', vendor: '0x8086', device: '0x56c0' });
  link(`${second}/virtfn0`, virtual);
  link(`${virtual}/physfn`, second);
  const { gpu, pci: all } = await found();
  expect(gpu).toEqual({
    total: 2,
    cards: [
      {
        driver: 'nvidia',
        driver_version: '550.1',
        numa_node: 0,
        pci_address: '0000:01:00.0',
        vendor: 'NVIDIA Corporation',
        vendor_id: '10de',
        product: 'GV100GL',
        product_id: '1db4',
        drm: {
          id: 0,
          card_name: 'card0',
          card_device: '226:0',
          render_name: 'renderD128',
          render_device: '226:128',
        },
        nvidia: {
          nvrm_version: '550.1',
          model: 'Tesla V100',
          uuid: 'GPU-1',
          card_name: 'nvidia0',
          card_device: '195:0',
        },
        mdev: { 'nvidia-1': { api: 'vfio-pci', name: 'V100-1', available: 4, devices: [] } },
      },
      expect.objectContaining({
        product: 'Flex 170',
        numa_node: 1,
        sriov: {
          current_vfs: 1,
          maximum_vfs: 2,
          vfs: [expect.objectContaining({ pci_address: '0000:02:00.1' })],
        },
      }),
    ],
  });
  expect(all).toMatchObject({ total: 3 });
});

test('network cards: one on PCI behind another driver, one on USB; software is none', async () => {
  const card = pci('0000:00:03.0', { class: '0x020000', vendor: '0x1af4', device: '0x1041' });
  files(`${card}/virtio2/net/eth0`, {
    type: '1',
    address: '00:16:3e:00:00:01',
    speed: '1000',
    duplex: 'full',
    carrier: '1',
    dev_port: '0',
  });
  link(`${card}/virtio2/net/eth0/device`, `${card}/virtio2`);
  link('sys/class/net/eth0', `${card}/virtio2/net/eth0`);
  const usb = 'sys/devices/pci0000:00/0000:00:14.0/usb1/1-2/1-2:1.0';
  files(`${usb}/net/usb0`, { type: '1', speed: '-1', duplex: 'unknown' });
  link(`${usb}/net/usb0/device`, usb);
  link('sys/class/net/usb0', `${usb}/net/usb0`);
  files('sys/class/net/br0', { type: '1' });
  const { network } = await found();
  expect(network).toEqual({
    total: 2,
    cards: [
      {
        numa_node: 0,
        pci_address: '0000:00:03.0',
        vendor_id: '1af4',
        product_id: '1041',
        ports: [
          {
            id: 'eth0',
            address: '00:16:3e:00:00:01',
            port: 0,
            protocol: 'ethernet',
            link_speed: 1000,
            link_duplex: 'full',
            link_detected: true,
            auto_negotiation: false,
          },
        ],
      },
      {
        numa_node: 0,
        usb_address: '1-2',
        ports: [{ id: 'usb0', port: 0, protocol: 'ethernet', link_detected: false, auto_negotiation: false }],
      },
    ],
  });
});

test('a disk with partitions, one on USB, and what is on USB', async () => {
  const nvme = 'sys/devices/pci0000:00/0000:04:00.0/nvme/nvme0/nvme0n1';
  files(nvme, { dev: '259:0', size: '2048', ro: '0', removable: '0', wwid: 'eui.1' });
  files(`${nvme}/queue`, { rotational: '0', physical_block_size: '512' });
  files('sys/devices/pci0000:00/0000:04:00.0/nvme/nvme0', { model: 'Fast', serial: 'S1', firmware_rev: '2' });
  link(`${nvme}/device`, 'sys/devices/pci0000:00/0000:04:00.0/nvme/nvme0');
  files(`${nvme}/nvme0n1p1`, { dev: '259:1', size: '1024', ro: '0', partition: '1' });
  link('sys/class/block/nvme0n1', nvme);
  link('sys/class/block/nvme0n1p1', `${nvme}/nvme0n1p1`);
  link('dev/disk/by-id/nvme-Fast_S1', nvme);
  files('sys/class/block/loop0', { dev: '7:0' });
  const stick = 'sys/devices/pci0000:00/0000:00:14.0/usb1/1-3';
  files(stick, {
    bDeviceClass: '00',
    busnum: '1',
    devnum: '4',
    idVendor: 'abcd',
    idProduct: '1234',
    product: 'Stick',
    speed: '480',
  });
  files(`${stick}/1-3:1.0`, { bInterfaceClass: '08', bInterfaceSubClass: '06', bInterfaceNumber: '00' });
  link('sys/bus/usb/devices/1-3', stick);
  link('sys/bus/usb/devices/1-3:1.0', `${stick}/1-3:1.0`);
  files('sys/bus/usb/devices/usb1', { bDeviceClass: '09' });
  const { storage, usb } = await found();
  expect(storage).toEqual({
    total: 1,
    disks: [
      {
        id: 'nvme0n1',
        device: '259:0',
        model: 'Fast',
        type: 'nvme',
        serial: 'S1',
        firmware_version: '2',
        wwn: 'eui.1',
        pci_address: '0000:04:00.0',
        device_id: 'nvme-Fast_S1',
        read_only: false,
        removable: false,
        size: 1 << 20,
        block_size: 512,
        rpm: 0,
        numa_node: 0,
        partitions: [{ id: 'nvme0n1p1', device: '259:1', partition: 1, size: 1 << 19, read_only: false }],
      },
    ],
  });
  expect(usb).toEqual({
    total: 1,
    devices: [
      {
        bus_address: 1,
        device_address: 4,
        vendor: '',
        vendor_id: 'abcd',
        product: 'Stick',
        product_id: '1234',
        speed: 480,
        interfaces: [{ class: 'Mass Storage', class_id: 8, number: 0, subclass: '6', subclass_id: 6 }],
      },
    ],
  });
});
