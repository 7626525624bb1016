import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { ExecResult } from '@lxd-ts/host';
import { failed, readArgs, type SimulatedDisk, type SimulatedDisks } from './simulated-disks.ts';

interface SimulatedImage {
  size: number;
  disk: SimulatedDisk;
  parent: { image: string; snapshot: string } | undefined;
  snapshots: Map<string, { disk: SimulatedDisk; protected: boolean; size: number }>;
  meta: Map<string, string>;
  made: string;
}

type Result = Partial<ExecResult>;
const noImage = (name: string): Result =>
  failed(`rbd: error opening image ${name}: (2) No such file or directory`, 2);
const json = (value: unknown): Result => ({ stdout: JSON.stringify(value) });
const version: Result = {
  stdout: 'ceph version 16.2.15 (618f440892089921c3e944a991122ddc44e60516) pacific (stable)\n',
};

/** A Ceph cluster of version 16, as far as the drivers ask of it: output, words and statuses of its tools. */
export class SimulatedCeph {
  readonly #disks: SimulatedDisks;
  /** By OSD pool and name. */
  readonly pools = new Map<string, Map<string, SimulatedImage>>();
  readonly #mapped = new Map<string, { pool: string; image: string }>();
  #next = 0;
  /** What is made is as old as this says, in milliseconds. */
  age = 0;
  /** The filesystem `myfs`. */
  readonly files: string;
  /** Extended attributes that were set. */
  readonly attributes: string[] = [];

  constructor(disks: SimulatedDisks) {
    this.#disks = disks;
    this.files = disks.newDisk().directory;
    mkdirSync(join(this.files, 'pools/p1'), { recursive: true });
    disks.plugDirectory(':/', this.files);
    disks.plugDirectory(':/pools/p1', join(this.files, 'pools/p1'));
    disks.tool('getfattr', () => ({ stdout: '4096' }));
    disks.tool('setfattr', (args) => ({ stdout: String(this.attributes.push(args.join(' '))) }));
    disks.tool('ceph', (args) => this.#ceph(args));
    disks.tool('rbd', (args) => this.#rbd(args));
    disks.tool('mkdir', (args) => this.#keep(args.at(-1) ?? ''));
    disks.tool('rmdir', (args) => this.#forget(args.at(-1) ?? ''));
  }

  #now(): string {
    return new Date(Date.now() - this.age).toUTCString().replace(/ GMT$/, '');
  }

  #ceph(args: readonly string[]): Result {
    if (args[0] === '--version') return version;
    const { rest } = readArgs(args, ['--name', '--cluster', '--format']);
    const [first, second, verb, name = ''] = rest;
    if (first === 'df')
      return json({
        pools: [...this.pools].map(([name]) => ({ name, stats: { bytes_used: 1, max_avail: 9 } })),
      });
    if (first === 'fs' && second === 'get')
      return verb === 'myfs' ? {} : failed(`Error ENOENT: filesystem '${verb ?? ''}' not found`, 2);
    if (first !== 'osd' || second !== 'pool') return failed('Error EINVAL: invalid command', 22);
    if (verb === 'create') {
      this.pools.set(name, new Map());
      return { stderr: `pool '${name}' created\n` };
    }
    if (!this.pools.has(name)) return failed(`Error ENOENT: unrecognized pool '${name}'`, 2);
    if (verb === 'get') return { stdout: `${rest[4] ?? ''}: 32\n` };
    if (verb === 'delete') {
      this.pools.delete(name);
      return { stderr: `pool '${name}' removed\n` };
    }
    return failed('Error EINVAL: invalid command', 22);
  }

  #rbd(args: readonly string[]): Result {
    if (args[0] === '--version') return version;
    const valued = [
      '--id',
      '--cluster',
      '--pool',
      '--format',
      '--snap',
      '--size',
      '--image-feature',
      '--data-pool',
    ];
    const { options, rest } = readArgs(args, valued);
    const [verb = '', ...words] = rest;
    const pool = options.get('--pool')?.[0];
    const verbs = ['snap', 'pool', 'image-meta'];
    const [sub, names] = verbs.includes(verb) ? [words[0], words.slice(1)] : [undefined, words];
    const given = {
      snap: options.get('--snap')?.[0] ?? '',
      size: parseInt(options.get('--size')?.[0] ?? '0'),
    };
    if (verb === 'showmapped') return this.#showMapped();
    if (verb === 'unmap') return this.#unmap(names[0] ?? '');
    if (verb === 'pool') return {};
    return this.#inPool(sub === undefined ? verb : `${verb} ${sub}`, pool, names, given);
  }

  #inPool(
    verb: string,
    pool: string | undefined,
    names: readonly string[],
    { snap, size }: { snap: string; size: number },
  ): Result {
    const [spec = '', other = '', value = ''] = names;
    // Named with its pool, or in the one that is given.
    const of = pool ?? spec.split('/')[0] ?? '';
    const images = this.pools.get(of);
    if (!images) return failed(`rbd: error opening pool '${of}': (2) No such file or directory`, 2);
    const [name = '', at = snap] = (pool === undefined ? spec.slice(of.length + 1) : spec).split('@');
    const [otherName = '', otherAt = ''] = other.slice(other.indexOf('/') + 1).split('@');
    if (verb === 'ls') return this.#list(of, images);
    const image = images.get(name);
    if (verb === 'create') {
      if (image) return failed('rbd: create error: (17) File exists', 17);
      images.set(name, this.#newImage(size, this.#disks.newDisk()));
      return {};
    }
    if (!image) return noImage(name);
    switch (verb) {
      case 'info':
        return json({
          ...{ name, create_timestamp: image.made },
          size: at === '' ? image.size : image.snapshots.get(at)?.size,
        });
      case 'status':
        return json({ watchers: this.#deviceOf(of, name) === undefined ? [] : [{ client: 'client.4' }] });
      case 'du':
        return json({ images: [{ name, provisioned_size: image.size, used_size: 4096 }] });
      case 'map':
        return this.#map(of, name, image);
      case 'mv':
        if (images.has(otherName)) return failed('rbd: rename error: (17) File exists', 17);
        if (this.#deviceOf(of, name) !== undefined) return failed('rbd: rename error: (16) busy', 16);
        images.delete(name);
        images.set(otherName, image);
        for (const { parent } of images.values()) if (parent?.image === name) parent.image = otherName;
        return {};
      case 'rm':
        return this.#remove(of, images, name, image);
      case 'resize':
        image.size = size;
        return {};
      case 'clone': {
        const snapshot = image.snapshots.get(at);
        if (!snapshot) return noImage(`${name}@${at}`);
        if (!snapshot.protected) return failed('rbd: clone error: (22) Invalid argument', 22);
        if (images.has(otherName)) return failed('rbd: clone error: (17) File exists', 17);
        const parent = { image: name, snapshot: at };
        images.set(otherName, this.#newImage(snapshot.size, this.#disks.cloneDisk(snapshot.disk), parent));
        return {};
      }
      case 'image-meta set':
        image.meta.set(other, value);
        return {};
      case 'image-meta get':
        return image.meta.has(other)
          ? { stdout: `${image.meta.get(other) ?? ''}\n` }
          : failed(`failed to get metadata ${other} of image : (2) No such file or directory`, 2);
      default:
        return this.#snap(verb, images, name, image, at, otherAt);
    }
  }

  #snap(
    verb: string,
    images: Map<string, SimulatedImage>,
    name: string,
    image: SimulatedImage,
    at: string,
    to: string,
  ): Result {
    if (verb === 'snap ls')
      return json([...image.snapshots.keys()].map((one, id) => ({ id, name: one, timestamp: image.made })));
    const snapshot = image.snapshots.get(at);
    if (verb === 'snap create') {
      if (snapshot) return failed('rbd: failed to create snapshot: (17) File exists', 17);
      const { size } = image;
      image.snapshots.set(at, { disk: this.#disks.cloneDisk(image.disk), protected: false, size });
      return {};
    }
    if (!snapshot) return noImage(`${name}@${at}`);
    const clones = [...images.values()].some(
      ({ parent }) => parent?.image === name && parent.snapshot === at,
    );
    switch (verb) {
      case 'snap protect':
        if (snapshot.protected)
          return failed('rbd: protecting snap failed: (16) Device or resource busy', 16);
        snapshot.protected = true;
        return {};
      case 'snap unprotect':
        if (clones) return failed('rbd: unprotecting snap failed: (16) Device or resource busy', 16);
        if (!snapshot.protected) return failed('rbd: unprotecting snap failed: (22) Invalid argument', 22);
        snapshot.protected = false;
        return {};
      case 'snap rm':
        if (snapshot.protected) return failed(`rbd: snapshot '${at}' is protected from removal.`, 16);
        this.#disks.dropDisk(snapshot.disk);
        image.snapshots.delete(at);
        return {};
      case 'snap rename':
        if (image.snapshots.has(to)) return failed('rbd: renaming snap failed: (17) File exists', 17);
        image.snapshots.delete(at);
        image.snapshots.set(to, snapshot);
        for (const { parent } of images.values())
          if (parent?.image === name && parent.snapshot === at) parent.snapshot = to;
        return {};
      case 'snap rollback':
        this.#disks.dropDisk(image.disk);
        image.disk = this.#disks.cloneDisk(snapshot.disk);
        image.size = snapshot.size;
        return {};
      default:
        return failed(`error: unknown option '${verb}'`);
    }
  }

  #newImage(size: number, disk: SimulatedDisk, parent?: SimulatedImage['parent']): SimulatedImage {
    return { size, disk, parent, snapshots: new Map(), meta: new Map(), made: this.#now() };
  }

  #list(pool: string, images: Map<string, SimulatedImage>): Result {
    return json(
      [...images].flatMap(([image, { size, parent, snapshots }]) => {
        const whose = parent ? { parent: { pool, pool_namespace: '', ...parent } } : {};
        return [
          { image, id: image, size, ...whose, format: 2 },
          ...[...snapshots].map(([snapshot, state]) => ({
            image,
            id: image,
            snapshot,
            snapshot_id: 4,
            size,
            ...whose,
            format: 2,
            protected: String(state.protected),
          })),
        ];
      }),
    );
  }

  #deviceOf(pool: string, image: string): string | undefined {
    return [...this.#mapped].find(([, one]) => one.pool === pool && one.image === image)?.[0];
  }

  #showMapped(): Result {
    const rows = [...this.#mapped].map(([device, { pool, image }]) => {
      return { id: device.slice(8), pool, namespace: '', name: image, snap: '-', device };
    });
    return json(rows);
  }

  #map(pool: string, image: string, { disk }: SimulatedImage): Result {
    this.#next += 1;
    const device = `/dev/rbd${this.#next}`;
    this.#mapped.set(device, { pool, image });
    this.#disks.plug(device, disk);
    return { stdout: `${device}\n` };
  }

  #unmap(device: string): Result {
    const found = this.#mapped.get(device);
    if (!found) return failed(`rbd: ${device}: not a mapped image or snapshot`, 22);
    if (this.pools.get(found.pool)?.get(found.image)?.disk.mountedOn !== undefined)
      return failed('rbd: sysfs write failed\nrbd: unmap failed: (16) Device or resource busy', 16);
    this.#mapped.delete(device);
    this.#disks.unplug(device);
    return {};
  }

  #remove(pool: string, images: Map<string, SimulatedImage>, name: string, image: SimulatedImage): Result {
    if (image.snapshots.size > 0)
      return failed(
        "rbd: image has snapshots - these must be deleted with 'rbd snap purge' before removal",
        39,
      );
    if (this.#deviceOf(pool, name) !== undefined) return failed('rbd: error: image still has watchers', 16);
    this.#disks.dropDisk(image.disk);
    images.delete(name);
    return {};
  }

  /** A snapshot of a directory of CephFS: a directory that is made in `.snap`. */
  #keep(path: string): Result {
    const [of = '', name] = path.split('/.snap/');
    if (name === undefined) return failed(`mkdir: cannot create directory '${path}'`);
    if (existsSync(path)) return failed(`mkdir: cannot create directory '${path}': File exists`);
    mkdirSync(`${of}/.snap`, { recursive: true });
    execFileSync('rsync', ['-a', '--exclude=/.snap', `${of}/`, path]);
    return {};
  }

  #forget(path: string): Result {
    const [of = ''] = path.split('/.snap/');
    if (!existsSync(path)) return failed(`rmdir: failed to remove '${path}': No such file or directory`);
    const gone = `${of}/.snap/.gone`;
    renameSync(path, gone);
    execFileSync('chmod', ['-R', 'u+rwX', gone]);
    rmSync(gone, { recursive: true });
    return {};
  }
}
