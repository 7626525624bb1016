import { readFile } from 'node:fs/promises';
import { cpus, freemem, machine, totalmem } from 'node:os';

/** Logical CPUs of the host as one socket; the full topology comes with the agent's inventory. */
function cpu() {
  const all = cpus();
  const [first] = all;
  return {
    architecture: machine(),
    sockets: [
      {
        name: first?.model ?? '',
        socket: 0,
        frequency: first?.speed ?? 0,
        cores: all.map((_, id) => ({
          core: id,
          die: 0,
          threads: [{ id, numa_node: 0, thread: 0, online: true, isolated: false }],
        })),
      },
    ],
    total: all.length,
  };
}

const dmi = (name: string): Promise<string> =>
  readFile(`/sys/class/dmi/id/${name}`, 'utf8').then(
    (text) => text.trim(),
    () => '',
  );

/** What the firmware says of the machine; empty where it says nothing. */
async function system() {
  const [uuid, vendor, product, family, version, sku, serial] = await Promise.all(
    [
      'product_uuid',
      'sys_vendor',
      'product_name',
      'product_family',
      'product_version',
      'product_sku',
      'product_serial',
    ].map(dmi),
  );
  const virtual = /qemu|kvm|vmware|virtualbox|virtual machine|bochs|xen/i.test(
    `${vendor ?? ''} ${product ?? ''}`,
  );
  const type = vendor === '' && product === '' ? 'unknown' : virtual ? 'virtual-machine' : 'physical';
  return {
    uuid,
    vendor,
    product,
    family,
    version,
    sku,
    serial,
    type,
    firmware: null,
    chassis: null,
    motherboard: null,
  };
}

const memory = () => ({
  nodes: null,
  hugepages_total: 0,
  hugepages_used: 0,
  hugepages_size: 0,
  used: totalmem() - freemem(),
  total: totalmem(),
});

/** Processors, memory and system of this machine, as LXD's Resources. */
export const resources = async (): Promise<Record<string, unknown>> => ({
  cpu: cpu(),
  memory: memory(),
  system: await system(),
});
