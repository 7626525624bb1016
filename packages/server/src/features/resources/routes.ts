import { cpus, freemem, hostname, machine, totalmem } from 'node:os';
import { sync, type Route } from '../../http/route.ts';

/** Logical CPUs of the host, one socket; the full topology comes with the agent's inventory. */
function cpu() {
  const all = cpus();
  const [first] = all;
  return {
    architecture: machine(),
    sockets: [
      {
        name: first?.model ?? '',
        vendor: '',
        socket: 0,
        frequency: first?.speed ?? 0,
        cores: all.map(({ speed }, id) => ({
          core: id,
          die: 0,
          frequency: speed,
          threads: [{ id, numa_node: 0, thread: 0, online: true, isolated: false }],
        })),
      },
    ],
    total: all.length,
  };
}

export const resourcesRoutes = (): Route[] => [
  {
    operationId: 'resourcesGet',
    handle: () =>
      Promise.resolve(
        sync({
          cpu: cpu(),
          memory: {
            nodes: null,
            hugepages_total: 0,
            hugepages_used: 0,
            hugepages_size: 0,
            used: totalmem() - freemem(),
            total: totalmem(),
          },
          gpu: { cards: [], total: 0 },
          network: { cards: [], total: 0 },
          storage: { disks: [], total: 0 },
          usb: { devices: [], total: 0 },
          pci: { devices: [], total: 0 },
          system: {
            uuid: '',
            vendor: '',
            product: '',
            family: '',
            version: '',
            sku: '',
            serial: '',
            type: '',
            hostname: hostname(),
          },
        }),
      ),
  },
];
