import { SimulatedDisks } from '../testing/simulated-disks.ts';
import { SimulatedLvm } from '../testing/simulated-lvm.ts';
import { storageSuite, type StorageWorld } from '../testing/storage-suite.ts';
import { lvm } from './lvm.ts';

function simulated(config: Record<string, string>) {
  const disks = new SimulatedDisks();
  const tools = new SimulatedLvm(disks);
  const world: StorageWorld = {
    driver: lvm,
    host: disks.host,
    dir: disks.dir,
    pool: { name: 'p1', driver: 'lvm', config },
    directories: false,
    simulated: true,
    [Symbol.asyncDispose]: () => disks[Symbol.asyncDispose](),
  };
  return { disks, tools, world };
}

describe('in a loop file, by simulated tools', () => {
  storageSuite(() => Promise.resolve(simulated({ size: '6GiB' }).world));
});
