import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join, resolve } from 'node:path';
import { Readable } from 'node:stream';
import { linuxHost } from '@lxd-ts/host';
import { openImageStore, type ImagePart, type ImageStore } from '@lxd-ts/images';
import { makeTemporary } from '../support/ground.ts';
import {
  makeLayer,
  makeOciImage,
  writeOciLayout,
  type OciTestImage,
  type Packing,
} from '../support/oci-image.ts';

const unpacker = resolve('packages/liblxc/build/lxd-ts-layer');
const signal = AbortSignal.timeout(60_000);
let dir: string;
let store: ImageStore;

const open = () => openImageStore({ host: linuxHost(), dir, unpacker });

beforeEach(async () => {
  dir = makeTemporary('oci-layers');
  store = await open();
});
afterEach(() => {
  rmSync(dir, { recursive: true });
});

async function* partsOf(image: OciTestImage, without: readonly string[] = []): AsyncGenerator<ImagePart> {
  yield await Promise.resolve({ kind: 'manifest' as const, body: Readable.from([image.manifest]) });
  for (const { digest, bytes } of image.blobs)
    if (!without.includes(digest)) yield { kind: 'blob', digest, body: Readable.from([bytes]) };
}

const receive = (image: OciTestImage, without: readonly string[] = []) =>
  store.receive(partsOf(image, without), { signal });

async function unpack(image: OciTestImage): Promise<string> {
  const target = join(dir, `unpacked-${image.fingerprint.slice(0, 8)}`);
  mkdirSync(target);
  await store.unpack(image.fingerprint, target, { signal });
  return join(target, 'rootfs');
}

/** Everything but /dev that can be seen of a tree, in order. */
function listing(root: string): string[] {
  const find = `find . -path ./dev -prune -o ! -name . -printf '%P %y %m %U:%G %n %l %T@ %s\\n' | sed -E '/ d /s/ [0-9]+ +([0-9.]+) [0-9]+$/ \\1/' | sort`;
  return execFileSync('sh', ['-c', `${find}; getfattr -Rhd -m - . 2>/dev/null | sort`], {
    cwd: root,
    encoding: 'utf8',
  }).split('\n');
}

const write = (root: string, path: string, text = path) => {
  mkdirSync(join(root, path, '..'), { recursive: true });
  writeFileSync(join(root, path), text);
};

const lowest = () =>
  makeLayer(dir, (root) => {
    for (const path of ['a/one', 'a/two', 'a/deep/er/file', 'b/kept', 'b/gone/x', 'c', 'd/file', 'hard/1'])
      write(root, path);
    linkSync(join(root, 'hard/1'), join(root, 'hard/2'));
    symlinkSync('/etc/passwd', join(root, 'absolute'));
    symlinkSync('a', join(root, 'to-a'));
    chmodSync(join(root, 'c'), 0o4755);
    chownSync(join(root, 'c'), 12, 34);
    chmodSync(join(root, 'c'), 0o4755);
    execFileSync('setcap', ['cap_net_raw+ep', join(root, 'a/one')]);
    execFileSync('setfattr', ['-n', 'user.word', '-v', 'value', join(root, 'a/two')]);
    write(root, `long/${'n'.repeat(120)}/${'m'.repeat(120)}`);
    symlinkSync('x'.repeat(200), join(root, 'long-link'));
    execFileSync('mkfifo', [join(root, 'fifo')]);
  });
const middle = () =>
  makeLayer(dir, (root) => {
    write(root, 'a/.wh.one', '');
    write(root, 'b/.wh.gone', '');
    write(root, '.wh.c', '');
    write(root, 'd/.wh..wh..opq', '');
    write(root, 'd/new');
    // What this layer brings is not what it takes away.
    write(root, 'a/deep/.wh.er', '');
    write(root, 'a/deep/er/again');
    linkSync(join(root, 'd/new'), join(root, 'd/new-too'));
  });
const highest = () =>
  makeLayer(dir, (root) => {
    // Files become directories, directories links and files.
    write(root, 'b', 'now a file');
    mkdirSync(join(root, 'c/now-a-directory'), { recursive: true });
    write(root, 'hard/1', 'another');
    symlinkSync('nowhere', join(root, 'd'));
  });

describe('layers of an image', () => {
  test('come to what umoci makes of them', async () => {
    const packings: Packing[] = ['gzip', 'tar', 'gzip'];
    const image = makeOciImage(
      [lowest(), middle(), highest()].map((tar, i) => ({ tar, packing: packings[i] ?? 'gzip' })),
      {},
    );
    await receive(image);
    const root = await unpack(image);
    writeOciLayout(join(dir, 'layout'), image);
    execFileSync('umoci', [
      'raw',
      'unpack',
      '--image',
      `${join(dir, 'layout')}:image`,
      join(dir, 'reference'),
    ]);
    expect(listing(root)).toEqual(listing(join(dir, 'reference')));
    expect(readdirSync(root).sort()).toEqual(
      ['a', 'absolute', 'b', 'c', 'd', 'dev', 'fifo', 'hard', 'long', 'long-link', 'to-a'].sort(),
    );
    expect(readdirSync(join(root, 'a'))).toEqual(['deep', 'two']);
    expect(readdirSync(join(root, 'a/deep/er'))).toEqual(['again']);
    expect(readFileSync(join(root, 'hard/2'), 'utf8')).toBe('hard/1');
  });

  test('packed by zstd, in several frames', async () => {
    const image = makeOciImage(
      [lowest(), middle()].map((tar) => ({ tar, packing: 'zstd' as const })),
      {},
    );
    await receive(image);
    const root = await unpack(image);
    expect(readdirSync(join(root, 'd')).sort()).toEqual(['new', 'new-too']);
    expect(lstatSync(join(root, 'd/new')).nlink).toBe(2);
  });

  test('nothing of them leaves the root', async () => {
    const outside = join(dir, 'outside');
    mkdirSync(outside);
    writeFileSync(join(outside, 'victim'), 'safe');
    const link = makeLayer(dir, (root) => {
      symlinkSync(outside, join(root, 'way'));
      symlinkSync('../'.repeat(20) + outside, join(root, 'other'));
    });
    const through = makeLayer(dir, (root) => {
      write(root, 'way/.wh.victim', '');
      write(root, 'other/.wh.victim', '');
    });
    // The links lead to nothing inside: there is no such directory.
    const image = makeOciImage([{ tar: link }, { tar: through }], {});
    await receive(image);
    await unpack(image).catch((error: unknown) => expect(String(error)).toMatch(/way|other/));
    expect(readFileSync(join(outside, 'victim'), 'utf8')).toBe('safe');

    const raw = (name: string, ...more: string[]): Buffer =>
      execFileSync('tar', [
        '-C',
        outside,
        '-P',
        ...more,
        `--transform=s,^victim$,${name},`,
        '-cf',
        '-',
        'victim',
      ]);
    const dots = makeOciImage([{ tar: raw('a/../../victim2') }], {});
    await receive(dots);
    await expect(unpack(dots)).rejects.toThrow(/leads out of it/);
    const absolute = makeOciImage([{ tar: raw(join(outside, 'made')) }], {});
    await receive(absolute);
    const root = await unpack(absolute);
    expect(existsSync(join(outside, 'made'))).toBe(false);
    expect(existsSync(join(root, outside, 'made'))).toBe(true);
    expect(readdirSync(outside)).toEqual(['victim']);
  });

  test('have no device nodes, and nothing below /dev', async () => {
    const tar = makeLayer(dir, (root) => {
      mkdirSync(join(root, 'dev'));
      execFileSync('mknod', [join(root, 'dev/sda'), 'b', '8', '0']);
      execFileSync('mknod', [join(root, 'null'), 'c', '1', '3']);
      write(root, 'dev/file');
      write(root, 'file');
    });
    const image = makeOciImage([{ tar }], {});
    await receive(image);
    const root = await unpack(image);
    expect([readdirSync(root).sort(), readdirSync(join(root, 'dev'))]).toEqual([['dev', 'file'], []]);
  });

  test.each([
    ['damaged', (tar: Buffer) => tar.fill(0x41, 600, 700).fill(0x41, 1030, 1040)],
    ['cut off', (tar: Buffer) => tar.subarray(0, 1100)],
  ])('one that is %s is refused', async (_, spoil) => {
    const image = makeOciImage([{ tar: Buffer.from(spoil(lowest())) }], {});
    await receive(image);
    await expect(unpack(image)).rejects.toThrow(/cannot be unpacked|not what its configuration says/);
  });

  test('one that is another than the configuration says is refused', async () => {
    const good = makeOciImage([{ tar: lowest() }], {});
    const bad = makeOciImage([{ tar: middle() }], {});
    const manifest = JSON.parse(good.manifest.toString()) as { layers: object[] };
    const other = JSON.parse(bad.manifest.toString()) as { layers: object[] };
    const bytes = Buffer.from(JSON.stringify({ ...manifest, layers: other.layers }));
    const mixed = { ...good, manifest: bytes, blobs: [...good.blobs.slice(0, 1), ...bad.layers] };
    const { fingerprint } = await receive(mixed);
    await expect(unpack({ ...mixed, fingerprint })).rejects.toThrow(/not what its configuration says/);
  });
});

describe('blobs', () => {
  const blobs = () =>
    existsSync(join(dir, 'images/blobs')) ? readdirSync(join(dir, 'images/blobs')).sort() : [];
  const hex = ({ digest }: { digest: string }) => digest.slice(7);

  test('are kept once, and go with the last image that names them', async () => {
    const [shared, own] = [{ tar: lowest() }, { tar: middle() }];
    const one = makeOciImage([shared], { Cmd: ['one'] });
    const two = makeOciImage([shared, own], { Cmd: ['two', "it's"] });
    const received = await receive(one);
    expect(received).toMatchObject({
      fingerprint: one.fingerprint,
      architecture: 'x86_64',
      oci: { 'oci.entrypoint': 'one', 'oci.cwd': '/' },
      creationDate: 1767323045,
    });
    const digests = two.blobs.map(({ digest }) => digest);
    expect(await store.missingBlobs(digests)).toEqual([digests[0], digests[2]]);
    await receive(two, [digests[1] ?? '']);
    expect(blobs()).toEqual([...new Set([...one.blobs, ...two.blobs].map(hex))].sort());
    expect(await store.ownChains(one.fingerprint)).toEqual([]);
    expect(await store.ownChains(two.fingerprint)).toHaveLength(1);
    await store.delete(one.fingerprint);
    expect(blobs()).toEqual(two.blobs.map(hex).sort());
    const sent = await store.send(two.fingerprint);
    expect(sent.map(({ kind }) => kind)).toEqual(['manifest', 'blob', 'blob', 'blob']);
    for (const { body } of sent) body.destroy();
    await store.delete(two.fingerprint);
    expect(readdirSync(join(dir, 'images'))).toEqual([]);
  });

  test('that are wrong, too many or missing make no image', async () => {
    const image = makeOciImage([{ tar: lowest() }], {});
    const [config, layer] = image.blobs;
    if (!config || !layer) throw new Error('no blobs');
    const wrong = Buffer.from(layer.bytes);
    wrong.writeUInt32LE(1, 400);
    await expect(receive({ ...image, blobs: [config, { ...layer, bytes: wrong }] })).rejects.toThrow(
      /digest of a layer doesn't match/,
    );
    const longer = Buffer.concat([layer.bytes, Buffer.alloc(1)]);
    await expect(receive({ ...image, blobs: [config, { ...layer, bytes: longer }] })).rejects.toThrow(
      /larger/,
    );
    await expect(receive(image, [layer.digest])).rejects.toThrow(/missing/);
    const stranger = makeOciImage([{ tar: middle() }], {}).layers;
    await expect(receive({ ...image, blobs: [...image.blobs, ...stranger] })).rejects.toThrow(
      /does not name/,
    );
    expect(readdirSync(join(dir, 'images'))).toEqual([]);
  });

  test('that no image names, or that are half there, are gone after a start', async () => {
    const image = makeOciImage([{ tar: lowest() }], {});
    await receive(image);
    const at = join(dir, 'images/blobs');
    writeFileSync(join(at, '.partial-1'), 'half');
    writeFileSync(join(at, 'f'.repeat(64)), 'nobody');
    store = await open();
    expect(blobs()).toEqual(image.blobs.map(hex).sort());
    await unpack(image);
  });
});
