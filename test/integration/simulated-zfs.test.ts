import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { linuxHost, type Host } from '@lxd-ts/host';
import { storageDriver } from '@lxd-ts/storage';
import { SimulatedWorld } from '../../packages/storage/src/testing/simulated-world.ts';
import { SimulatedZfs } from '../../packages/storage/src/testing/simulated-zfs.ts';

jest.setTimeout(600_000);

/** What the simulated tools answer, zfs and zpool themselves do: the same commands, one after the other, by both. */
const wait = { signal: AbortSignal.timeout(600_000) };
const root = `lxdtssim${process.pid}`;
const c1 = `${root}/containers/c1`;
const list = 'zfs list -Hp -r -s createtxg -t filesystem,volume,snapshot -o name,origin';

/** @param file what the zpool is in. `mount`, `unmount` and `mounted` are the host's. */
const commands = (file: string): string[] => [
  `zfs get -Hp -o value name ${root}`,
  `zpool create -m none -o autotrim=on -O compression=on -O lxd-ts:pool=mine ${root} ${file}`,
  `zfs get -Hp -o value name ${root}`,
  `zfs get -Hp -o value lxd-ts:pool ${root}`,
  `zfs get -Hp -o value lxd-ts:absent ${root}`,
  `zfs get -Hp -o value name ${root}/absent`,
  `zfs get -Hp -o value quota ${root}/absent@s`,
  `zpool create -m none ${root} ${file}2`,
  `zfs set relatime=on mountpoint=legacy setuid=on exec=on devices=on acltype=posixacl xattr=sa ${root}`,
  `zfs set lxd-ts:other=it ${root}/absent`,
  `zfs create -p ${root}/containers`,
  `zfs create -p ${root}/containers`,
  `zfs create -p ${root}/deleted`,
  `zfs create -p ${root}absent/c1`,
  `zfs create -p ${root}/containers/.partial-c1`,
  `zfs create -p -o recordsize=65536 ${root}/containers/c0`,
  `zfs rename -p ${root}/containers/.partial-c1 ${c1}`,
  `zfs rename -p ${root}/containers/.partial-c1 ${c1}`,
  `zfs rename -p ${c1} ${root}/containers/c0`,
  `zfs rename ${c1} ${root}/absent/c1`,
  `zfs rename -p ${c1} ${root}/custom/deep/c1`,
  `zfs rename -p ${root}/custom/deep/c1 ${c1}`,
  `zfs snapshot ${c1}@snapshot-s1`,
  `zfs snapshot ${c1}@snapshot-s1`,
  `zfs snapshot ${root}/containers/absent@s1`,
  `zfs clone -p ${c1}@absent ${root}/containers/c2`,
  `zfs clone -p ${c1}@snapshot-s1 ${root}/containers/c0`,
  `zfs clone -p ${c1}@snapshot-s1 ${root}/containers/c2`,
  `zfs clone -p -o readonly=on ${c1}@snapshot-s1 ${root}/containers-snapshots/c2/s1`,
  `${list} ${root}`,
  `${list} ${root}/absent`,
  `${list} ${root}absent`,
  `zfs destroy ${c1}@snapshot-s1`,
  `zfs destroy ${c1}`,
  `zfs destroy -r ${c1}`,
  `zfs destroy ${root}/containers-snapshots`,
  `zfs destroy ${root}/containers/absent`,
  `zfs destroy ${c1}@absent`,
  `zfs rename ${c1}@snapshot-s1 ${c1}@deleted-1`,
  `zfs rename ${c1}@snapshot-s1 ${c1}@deleted-2`,
  `zfs rename -p ${c1} ${root}/deleted/containers/1`,
  `zfs get -Hp -o value origin ${root}/containers/c2`,
  `zfs rename -p ${root}/deleted/containers/1 ${c1}`,
  `zfs rename ${c1}@deleted-1 ${c1}@snapshot-s1`,
  `zfs snapshot ${c1}@snapshot-s2`,
  `zfs rename ${c1}@snapshot-s2 ${c1}@snapshot-s1`,
  `zfs rollback ${c1}@snapshot-s1`,
  `zfs rollback ${c1}@snapshot-s2`,
  `zfs rollback ${c1}@absent`,
  `zfs set quota=104857600 ${c1}`,
  `zfs get -Hp -o value quota ${c1}`,
  `zfs set quota=none reservation=none ${c1}`,
  `zfs set refquota=1 ${root}/absent`,
  // While it is mounted.
  `mount ${c1}`,
  `zfs snapshot ${c1}@snapshot-s3`,
  `zfs rename -p ${c1} ${root}/containers/c3`,
  'mounted',
  `zfs rename -p ${root}/containers/c3 ${c1}`,
  `zfs rollback ${c1}@snapshot-s3`,
  'mounted',
  `zfs destroy ${c1}`,
  'mounted',
  `zpool export ${root}`,
  'mounted',
  `zpool import -N -d ${file} ${root}`,
  `zfs destroy ${c1}@snapshot-s3`,
  `mount ${c1}@absent`,
  'unmount',
  `mount ${c1}@snapshot-s2`,
  `zfs rename ${c1}@snapshot-s2 ${c1}@snapshot-s4`,
  'mounted',
  `zfs destroy ${c1}@snapshot-s4`,
  'mounted',
  'unmount',
  `mount ${root}/containers/c2`,
  `zfs destroy -r ${root}/containers/c2`,
  'mounted',
  'unmount',
  `zfs destroy ${root}/containers/c2`,
  `zfs destroy -r ${root}/containers-snapshots`,
  `mount ${c1}`,
  `zfs destroy -r ${c1}`,
  'mounted',
  'unmount',
  `${list} ${root}`,
  `zfs inherit lxd-ts:pool ${root}`,
  `zfs inherit lxd-ts:pool ${root}/absent`,
  `zfs get -Hp -o value lxd-ts:pool ${root}`,
  `zpool import -N -d ${file} ${root}`,
  `zpool export ${root}`,
  `zpool export ${root}`,
  `zfs get -Hp -o value name ${root}`,
  `zpool import -N -d ${file} ${root}absent`,
  `zpool import -N -d ${file} ${root}`,
  `${list} ${root}`,
  `mount ${root}/containers/c0`,
  `zpool destroy -f ${root}`,
  'mounted',
  `zpool destroy -f ${root}`,
  `zpool import -N -d ${file} ${root}`,
  `zfs no-such-verb`,
  `zpool no-such-verb`,
];

/** A line for each: status and words. */
async function answers(host: Host, file: string, target: string): Promise<string[]> {
  const all: string[] = [];
  for (const command of commands(file)) {
    const [verb = '', ...args] = command.split(' ');
    const said = async (): Promise<string> => {
      if (verb === 'mounted') return String((await host.mounts()).some((one) => one.target === target));
      if (verb === 'unmount') return host.unmount(target, wait).then(() => '0');
      if (verb === 'mount') {
        const mount = { source: args[0] ?? '', target, fsType: 'zfs', options: [] };
        // Why it failed is mount's to say, and nobody reads it.
        return host.mount(mount, wait).then(
          () => '0',
          () => 'failed',
        );
      }
      const { status, stdout, stderr } = await host.run([verb, ...args], { ...wait, allowFailure: true });
      // What follows the first line is advice.
      return `${status} ${stdout}${stderr.split('\n')[0] ?? ''}`;
    };
    all.push(`${command}: ${await said().catch(String)}`.replaceAll(file, 'FILE').trimEnd());
  }
  return all;
}

const real = (() => {
  try {
    return execFileSync('zfs', ['version'], { encoding: 'utf8', stdio: 'pipe' }).includes('zfs-kmod');
  } catch {
    return false;
  }
})();
if (!real) console.log('skipped: simulated and real ZFS: no zfsutils-linux, or no zfs in the kernel');

(real ? test : test.skip)('simulated and real tools of ZFS answer alike', async () => {
  const place = mkdtempSync(join(tmpdir(), 'lxd-ts-simulated-zfs-'));
  const file = join(place, 'file.img');
  mkdirSync(join(place, 'mnt'));
  execFileSync('truncate', ['-s', '1G', file, `${file}2`]);
  try {
    const real = await answers(linuxHost(), file, join(place, 'mnt'));
    await using world = new SimulatedWorld(storageDriver('zfs')!, {}, (disks) => new SimulatedZfs(disks));
    const target = join(world.dir, 'mnt');
    mkdirSync(target);
    expect(await answers(world.host, file, target)).toEqual(real);
  } finally {
    try {
      execFileSync('umount', [join(place, 'mnt')], { stdio: 'ignore' });
    } catch {
      // Not mounted.
    }
    try {
      execFileSync('zpool', ['destroy', '-f', root], { stdio: 'ignore' });
    } catch {
      // Gone, as it should be.
    }
    rmSync(place, { recursive: true });
  }
});
