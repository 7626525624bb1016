import { SimulatedCeph } from '../testing/simulated-ceph.ts';
import { SimulatedDisks } from '../testing/simulated-disks.ts';
import { storageSuite, type StorageWorld } from '../testing/storage-suite.ts';
import { ceph } from './ceph.ts';

function simulated(config: Record<string, string>) {
  const disks = new SimulatedDisks();
  const tools = new SimulatedCeph(disks);
  const world: StorageWorld = {
    driver: ceph,
    host: disks.host,
    dir: disks.dir,
    pool: { name: 'p1', driver: 'ceph', config },
    directories: false,
    simulated: true,
    [Symbol.asyncDispose]: () => disks[Symbol.asyncDispose](),
  };
  return { disks, tools, world };
}

describe('in an OSD pool of its own, by simulated tools', () => {
  storageSuite(() => Promise.resolve(simulated({}).world));
});
