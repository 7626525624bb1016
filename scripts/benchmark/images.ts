/** Images unpacked, cloned and launched; see scripts/bench-images. */
import { execFileSync } from 'node:child_process';
import { chmodSync, cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { makeBusyboxRootfs } from '../../test/support/busybox.ts';
import { ownClient } from '../../test/support/client.ts';
import { lxdTs, startDaemon } from '../../test/support/daemon.ts';
import { startReference } from '../../test/support/reference.ts';
import type { TestServer } from '../../test/support/server.ts';

const rounds = Number(process.argv[2] ?? 1);
/** What machines have: many small files, and some large ones. */
const parts = ['/usr/share/doc', '/usr/lib/python3', '/usr/share/perl'];
const poolSize = '3GiB';

/** File name → how it is packed, and what unpacks it by hand. */
const packings = {
  'rootfs.tar': 'tar --numeric-owner -cf "$1" -C "$2" .',
  'rootfs.tar.gz': 'tar --numeric-owner -czf "$1" -C "$2" .',
  'rootfs.tar.zst': 'tar --numeric-owner --zstd -cf "$1" -C "$2" .',
  'rootfs.tar.xz': 'tar --numeric-owner -cf - -C "$2" . | xz -T2 -1 >"$1"',
  'rootfs.squashfs': 'mksquashfs "$2" "$1" -quiet -no-progress -comp zstd',
};
type Packed = keyof typeof packings;

const median = (values: readonly number[]): number =>
  [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? NaN;
const seconds = async (work: () => unknown): Promise<number> => {
  const begin = performance.now();
  await work();
  return (performance.now() - begin) / 1000;
};

class Measured {
  readonly name: string;
  readonly server: TestServer;
  readonly pools: readonly string[];
  readonly #dir: string;
  readonly times = new Map<string, number[]>();

  constructor(name: string, server: TestServer, pools: readonly string[], dir: string) {
    this.name = name;
    this.server = server;
    this.pools = pools;
    this.#dir = dir;
  }

  async prepare(): Promise<void> {
    for (const driver of this.pools)
      await this.server.rest.must('POST', '/1.0/storage-pools', {
        ...{ name: driver, driver },
        config: driver === 'btrfs' ? { size: poolSize } : {},
      });
  }

  async #timed(what: string, work: () => unknown): Promise<number> {
    const took = await seconds(work);
    this.times.set(what, [...(this.times.get(what) ?? []), took]);
    return took;
  }

  median = (what: string): number => median(this.times.get(what) ?? []);

  /** The first instance unpacks, where the driver unpacks once; the second is only cloned. */
  async round(driver: string, file: Packed): Promise<void> {
    const { rest, dir } = this.server;
    const client = ownClient(lxdTs, dir, join(this.#dir, 'home'));
    const { code, stderr } = await client([
      ...['image', 'import', join(this.#dir, 'metadata.tar'), join(this.#dir, file), '--alias', 'bench'],
    ]);
    if (code !== 0) throw new Error(`${this.name}: ${stderr}`);
    const devices = { root: { type: 'disk', path: '/', pool: driver } };
    const create = (name: string) =>
      rest.must('POST', '/1.0/instances', {
        ...{ name, devices, profiles: [], source: { type: 'image', alias: 'bench' } },
      });
    await this.#timed(`${driver} first ${file}`, () => create('a'));
    await this.#timed(`${driver} clone`, () => create('b'));
    await this.#timed(`${driver} start`, () =>
      rest.must('PUT', '/1.0/instances/b/state', { action: 'start' }),
    );
    await rest.must('PUT', '/1.0/instances/b/state', { action: 'stop', force: true });
    for (const name of ['a', 'b']) await rest.must('DELETE', `/1.0/instances/${name}`);
    const [image = ''] = (await rest.must('GET', '/1.0/images')).metadata as string[];
    await rest.must('DELETE', image);
  }

  /** The same file by the bare tool, into the same pool. */
  async bare(driver: string, file: Packed): Promise<void> {
    const target = join(this.server.dir, 'storage-pools', driver, 'bare');
    const packed = join(this.#dir, file);
    const argv = file.endsWith('.squashfs')
      ? ['unsquashfs', '-no-progress', '-quiet', '-dest', target, packed]
      : ['tar', '--numeric-owner', '--xattrs', '-xpf', packed, '-C', target];
    if (argv[0] === 'tar') this.server.inside(['mkdir', target]);
    await this.#timed(`${driver} bare ${file}`, () => this.server.inside(argv));
    this.server.inside(['rm', '-rf', target]);
  }
}

function makeFiles(dir: string): number {
  const rootfs = join(dir, 'rootfs');
  makeBusyboxRootfs(rootfs);
  for (const part of parts) cpSync(part, join(rootfs, part), { recursive: true, verbatimSymlinks: true });
  const yaml = 'architecture: x86_64\ncreation_date: 1700000000\nproperties: {os: bench}\n';
  writeFileSync(join(dir, 'metadata.yaml'), yaml);
  execFileSync('tar', ['-cf', join(dir, 'metadata.tar'), '-C', dir, 'metadata.yaml']);
  for (const [file, script] of Object.entries(packings))
    execFileSync('sh', ['-c', script, 'sh', join(dir, file), rootfs]);
  return Number(execFileSync('du', ['-sb', '--apparent-size', rootfs], { encoding: 'utf8' }).split('\t')[0]);
}

const figure = (value: number): string => (Number.isNaN(value) ? '-' : value.toFixed(value < 10 ? 2 : 0));

const dir = mkdtempSync('/var/tmp/lxd-ts-bench-images-');
chmodSync(dir, 0o711);
mkdirSync(join(dir, 'home'));
const all: Measured[] = [];
try {
  const bytes = makeFiles(dir);
  const drivers = ['btrfs', 'dir', 'overlay'];
  all.push(new Measured('lxd-ts', await startDaemon(join(dir, 'ours')), drivers, dir));
  all.push(new Measured('LXD', await startReference(join(dir, 'lxd')), ['btrfs', 'dir'], dir));
  for (const one of all) await one.prepare();
  for (let round = 0; round < rounds; round++)
    for (const file of Object.keys(packings) as Packed[])
      for (const driver of drivers)
        for (const one of all) {
          if (!one.pools.includes(driver)) continue;
          await one.round(driver, file);
          if (one.name === 'lxd-ts') await one.bare(driver, file);
        }
  const [ours, lxd] = all;
  if (!ours || !lxd) throw new Error('two servers are compared');
  const rate = (took: number): number => bytes / 1e6 / took;
  const unpackOf = (one: Measured, driver: string, file: string): number =>
    // A directory is unpacked for every instance: there is nothing to take off.
    one.median(`${driver} first ${file}`) - (driver === 'dir' ? 0 : one.median(`${driver} clone`));
  const rows = drivers.flatMap((driver) => [
    ...Object.keys(packings).map((file) => ({
      what: `unpack ${file}, ${driver} (MB/s)`,
      ours: rate(unpackOf(ours, driver, file)),
      bare: rate(ours.median(`${driver} bare ${file}`)),
      lxd: rate(unpackOf(lxd, driver, file)),
    })),
    ...['clone', 'start'].map((what) => ({
      what: `${what}, ${driver} (ms)`,
      ours: ours.median(`${driver} ${what}`) * 1000,
      bare: NaN,
      lxd: lxd.median(`${driver} ${what}`) * 1000,
    })),
  ]);
  console.log(`an image of ${figure(bytes / 1e6)} MB, medians of ${rounds}`);
  const line = (...cells: string[]) =>
    cells.map((cell, at) => (at === 0 ? cell.padEnd(42) : cell.padStart(12))).join('');
  console.log(line('what', 'lxd-ts', 'bare tool', 'LXD'));
  for (const row of rows) console.log(line(row.what, figure(row.ours), figure(row.bare), figure(row.lxd)));
  writeFileSync(
    'bench-images.json',
    `${JSON.stringify({ date: new Date().toISOString(), rounds, bytes, rows }, null, 2)}\n`,
  );
} finally {
  for (const { server } of all) await server.stopAll();
  rmSync(dir, { recursive: true, force: true });
}
