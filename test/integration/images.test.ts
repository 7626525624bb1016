import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  chmodSync,
  createReadStream,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { linuxHost } from '@lxd-ts/host';
import { openImageStore, type ImagePart, type ImageStore } from '@lxd-ts/images';
import { makeBusyboxRootfs } from '../support/busybox.ts';

const signal = AbortSignal.timeout(600_000);
const host = linuxHost();
const metadata = `architecture: x86_64
creation_date: 1700000000
properties: { os: BusyBox, release: "1", description: 'A box' }
`;

let dir: string;
let tree: string;
let store: ImageStore;
let targets = 0;

beforeAll(async () => {
  dir = mkdtempSync('/tmp/lxd-ts-images-');
  tree = join(dir, 'tree');
  makeBusyboxRootfs(join(tree, 'rootfs'));
  mkdirSync(join(tree, 'templates'));
  writeFileSync(join(tree, 'templates/hostname.tpl'), '{{ container.name }}\n');
  writeFileSync(join(tree, 'metadata.yaml'), metadata);
  execFileSync('setcap', ['cap_net_raw+ep', join(tree, 'rootfs/bin/busybox')]);
  store = await openImageStore({ host, dir, unpacker: '/bin/false' });
});
afterAll(() => {
  rmSync(dir, { recursive: true });
});

const tar = (name: string, args: string[]): string => {
  execFileSync('tar', [
    '--create',
    '--xattrs',
    '--xattrs-include=*',
    '--numeric-owner',
    '-f',
    join(dir, name),
    ...args,
  ]);
  return join(dir, name);
};
const unified = (name: string, flags: string[]) =>
  tar(name, [...flags, '-C', tree, 'metadata.yaml', 'rootfs', 'templates']);
const parts = async function* (
  ...files: [kind: ImagePart['kind'], file: string][]
): AsyncGenerator<ImagePart> {
  for (const [kind, file] of files) yield await Promise.resolve({ kind, body: createReadStream(file) });
};
const hashOf = (...files: string[]) => {
  const hash = createHash('sha256');
  for (const file of files) hash.update(readFileSync(file));
  return hash.digest('hex');
};
const unpacked = async (fingerprint: string): Promise<string> => {
  const target = join(dir, `target${targets++}`);
  mkdirSync(target);
  await store.unpack(fingerprint, target, { signal });
  return target;
};
const stored = () => readdirSync(join(dir, 'images'));

function expectWhole(target: string): void {
  expect(readFileSync(join(target, 'rootfs/etc/group'), 'utf8')).toContain('nogroup');
  expect(lstatSync(join(target, 'rootfs/tmp')).mode & 0o7777).toBe(0o1777);
  expect(lstatSync(join(target, 'rootfs/bin/sh')).isSymbolicLink()).toBe(true);
  expect(readFileSync(join(target, 'metadata.yaml'), 'utf8')).toBe(metadata);
  const capabilities = execFileSync('getcap', [join(target, 'rootfs/bin/busybox')], { encoding: 'utf8' });
  expect(capabilities).toContain('cap_net_raw=ep');
}

test.each([
  ['plain', []],
  ['gzip', ['--gzip']],
  ['xz', ['--xz']],
  ['zstd', ['--zstd']],
] as [string, string[]][])('a unified image, %s', async (name, flags) => {
  const file = unified(`${name}.image`, flags);
  const began = Date.now();
  const received = await store.receive(parts(['unified', file]), { signal });
  // The kernel's clock of files is a little behind.
  const [held, ...others] = await store.held();
  expect([held?.fingerprint, others]).toEqual([received.fingerprint, []]);
  expect(held?.since).toBeGreaterThan(began - 1_000);
  expect(received).toEqual({
    fingerprint: hashOf(file),
    size: lstatSync(file).size,
    type: 'container',
    architecture: 'x86_64',
    creationDate: 1_700_000_000,
    expiryDate: 0,
    properties: { os: 'BusyBox', release: '1', description: 'A box' },
    files: [{ kind: 'unified', size: lstatSync(file).size, sha256: hashOf(file), squashfs: false }],
  });
  const target = await unpacked(received.fingerprint);
  expectWhole(target);
  expect(existsSync(join(target, 'templates/hostname.tpl'))).toBe(true);
  const [sent, ...more] = await store.send(received.fingerprint);
  expect(more).toEqual([]);
  expect(await buffer(sent!.body)).toEqual(readFileSync(file));
  await store.delete(received.fingerprint);
  await store.delete(received.fingerprint);
  await expect(store.send(received.fingerprint)).rejects.toMatchObject({ code: 'not-found' });
  expect(stored()).toEqual([]);
});

test.each(['squashfs', 'tar'])('a split image whose root is a %s', async (kind) => {
  const head = tar('head.tar.xz', ['--xz', '-C', tree, 'metadata.yaml', 'templates']);
  const rootfs = join(dir, `root.${kind}`);
  rmSync(rootfs, { force: true });
  if (kind === 'tar') tar('root.tar', ['-C', join(tree, 'rootfs'), '.']);
  else execFileSync('mksquashfs', [join(tree, 'rootfs'), rootfs, '-quiet', '-no-progress']);
  const received = await store.receive(parts(['metadata', head], ['rootfs', rootfs]), {
    signal,
    expected: hashOf(head, rootfs),
  });
  expect(received.fingerprint).toBe(hashOf(head, rootfs));
  expectWhole(await unpacked(received.fingerprint));
  const sent = await store.send(received.fingerprint);
  expect(sent.map(({ kind }) => kind)).toEqual(['metadata', 'rootfs']);
  for (const { body } of sent) body.destroy();
  await store.delete(received.fingerprint);
  expect(stored()).toEqual([]);
});

test('another hash than was expected is refused, and nothing is kept', async () => {
  const file = unified('plain.image', []);
  await expect(store.receive(parts(['unified', file]), { signal, expected: '0'.repeat(64) })).rejects.toThrow(
    /fingerprint doesn't match/,
  );
  expect(stored()).toEqual([]);
});

test.each<[string, () => Buffer]>([
  ['nothing', () => Buffer.alloc(0)],
  ['no archive', () => Buffer.from('hello '.repeat(1000))],
  ['a compressed file cut off at once', () => readFileSync(unified('cut.image', ['--xz'])).subarray(0, 600)],
  ['an archive without metadata', () => readFileSync(tar('bare.tar', ['-C', tree, 'rootfs']))],
  ['metadata that is not YAML', () => withMetadata(': [')],
  ['metadata without an architecture', () => withMetadata('properties: {}')],
])('refuses %s', async (_what, make) => {
  const body = Readable.from([make()]);
  const upload = (async function* () {
    yield await Promise.resolve({ kind: 'unified' as const, body });
  })();
  await expect(store.receive(upload, { signal })).rejects.toMatchObject({ code: 'invalid' });
  expect(stored()).toEqual([]);
});

function withMetadata(text: string): Buffer {
  const place = mkdtempSync(join(dir, 'metadata-'));
  writeFileSync(join(place, 'metadata.yaml'), text);
  return readFileSync(tar('metadata.tar', ['-C', place, 'metadata.yaml', '-C', tree, 'rootfs']));
}

test('one that is cut off behind its metadata does not unpack', async () => {
  const whole = readFileSync(unified('long.image', ['--gzip']));
  const file = join(dir, 'short.image');
  writeFileSync(file, whole.subarray(0, whole.length / 2));
  const received = await store.receive(parts(['unified', file]), { signal });
  await expect(unpacked(received.fingerprint)).rejects.toThrow();
  await store.delete(received.fingerprint);
});

test('an upload that is given up leaves nothing', async () => {
  const file = unified('plain.image', []);
  const given = new AbortController();
  const upload = (async function* () {
    yield await Promise.resolve({ kind: 'unified' as const, body: createReadStream(file) });
    given.abort();
    yield { kind: 'rootfs' as const, body: createReadStream(file) };
  })();
  await expect(store.receive(upload, { signal: given.signal })).rejects.toThrow();
  expect(stored()).toEqual([]);
});

test('uploads that a crash cut off are gone when the store is opened again', async () => {
  writeFileSync(join(dir, 'images/.partial-1.unified'), 'half');
  await openImageStore({ host, dir, unpacker: '/bin/false' });
  expect(stored()).toEqual([]);
});

describe('an image cannot reach past its directory', () => {
  /** A hostile archive, made by Python: GNU tar makes none such. */
  function hostile(members: string, name = 'hostile.tar'): string {
    const script = `
import io, sys, tarfile
out = tarfile.open(sys.argv[1], 'w')
def file(name, data=b'x'):
    info = tarfile.TarInfo(name); info.size = len(data); out.addfile(info, io.BytesIO(data))
def link(name, target, type=tarfile.SYMTYPE):
    info = tarfile.TarInfo(name); info.type = type; info.linkname = target; out.addfile(info)
def directory(name):
    info = tarfile.TarInfo(name); info.type = tarfile.DIRTYPE; info.mode = 0o755; out.addfile(info)
file('metadata.yaml', b'architecture: x86_64\\n')
${members}
out.close()
`;
    execFileSync('python3', ['-c', script, join(dir, name)]);
    return join(dir, name);
  }
  const victim = () => join(dir, 'victim');

  beforeEach(() => {
    mkdirSync(victim());
    writeFileSync(join(victim(), 'secret'), 'untouched');
    chmodSync(join(victim(), 'secret'), 0o600);
  });
  afterEach(() => {
    expect(readdirSync(victim())).toEqual(['secret']);
    expect(readFileSync(join(victim(), 'secret'), 'utf8')).toBe('untouched');
    rmSync(victim(), { recursive: true });
  });

  test.each([
    [
      'by ..',
      `directory('rootfs'); file('rootfs/a'); file('../victim/evil'); file('rootfs/../../victim/evil')`,
    ],
    ['by an absolute path', `directory('rootfs'); file('rootfs/a'); file('VICTIM/evil')`],
    ['through a symbolic link', `directory('rootfs'); link('rootfs/out', 'VICTIM'); file('rootfs/out/evil')`],
    [
      'by a hard link',
      `directory('rootfs'); link('rootfs/a', 'VICTIM/secret', tarfile.LNKTYPE); file('rootfs/a', b'evil')`,
    ],
    ['by a root that is a link', `link('rootfs', 'VICTIM')`],
    ['by a root that is a relative link', `link('rootfs', '../victim')`],
    ['by a root that is a link, with files in it', `link('rootfs', 'VICTIM'); file('rootfs/evil')`],
    ['by templates that are a link', `directory('rootfs'); file('rootfs/a'); link('templates', 'VICTIM')`],
  ])('%s', async (_how, members) => {
    const file = hostile(members.replaceAll('VICTIM', victim()));
    const { fingerprint } = await store.receive(parts(['unified', file]), { signal });
    const target = join(dir, `target${targets++}`);
    mkdirSync(target);
    await store.unpack(fingerprint, target, { signal }).catch(() => undefined);
    const rootfs = join(target, 'rootfs');
    if (existsSync(rootfs) && !lstatSync(rootfs).isDirectory()) {
      await expect(store.unpack(fingerprint, mkdtempSync(join(dir, 'again-')), { signal })).rejects.toThrow();
    }
    await store.delete(fingerprint);
  });

  test('by metadata that puts a link where the root goes', async () => {
    const head = hostile(`link('rootfs', '${victim()}')`, 'head.tar');
    const rootfs = tar('evil.tar', ['-C', join(tree, 'rootfs'), '.']);
    const { fingerprint } = await store.receive(parts(['metadata', head], ['rootfs', rootfs]), { signal });
    const target = await unpacked(fingerprint);
    expect(lstatSync(join(target, 'rootfs')).isDirectory()).toBe(true);
    await store.delete(fingerprint);
  });

  test('by a fingerprint that is a path', async () => {
    await expect(store.delete('../victim/secret')).rejects.toMatchObject({ code: 'invalid' });
    await expect(store.send('../victim/secret')).rejects.toMatchObject({ code: 'invalid' });
  });
});
