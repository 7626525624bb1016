import { SimulatedDisks } from '../testing/simulated-disks.ts';
import { SimulatedZfs } from '../testing/simulated-zfs.ts';
import { storageSuite, type StorageWorld } from '../testing/storage-suite.ts';
import { zfs } from './zfs.ts';

function simulated(config: Record<string, string>) {
  const disks = new SimulatedDisks();
  const tools = new SimulatedZfs(disks);
  tools.addPool('tank');
  const world: StorageWorld = {
    driver: zfs,
    host: disks.host,
    dir: disks.dir,
    pool: { name: 'p1', driver: 'zfs', config },
    directories: false,
    simulated: true,
    [Symbol.asyncDispose]: () => disks[Symbol.asyncDispose](),
  };
  return { disks, tools, world };
}

describe('in a loop file, by simulated tools', () => {
  storageSuite(() => Promise.resolve(simulated({ size: '6GiB' }).world));
});

describe('in a dataset, by simulated tools', () => {
  storageSuite(() => Promise.resolve(simulated({ source: 'tank/lxd' }).world));
});
