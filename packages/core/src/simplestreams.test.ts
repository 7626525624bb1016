import { findStreamImage, streamImages, streamMirrors, streamPaths } from './simplestreams.ts';

const hash = (digit: string) => digit.repeat(64);
const items = (path: string, digit: string) => ({
  'lxd.tar.xz': {
    ftype: 'lxd.tar.xz',
    path: `${path}/lxd.tar.xz`,
    size: 10,
    combined_squashfs_sha256: hash(digit),
    combined_rootxz_sha256: hash('f'),
  },
  'root.squashfs': { ftype: 'squashfs', path: `${path}/root.squashfs`, size: 100 },
  'root.tar.xz': { ftype: 'root.tar.xz', path: `${path}/root.tar.xz`, size: 90 },
  'disk.qcow2': { ftype: 'disk-kvm.img', path: `${path}/disk.qcow2`, size: 1000 },
});
const product = {
  aliases: 'debian/12/default,debian/12',
  os: 'Debian',
  release: 'bookworm',
  release_title: '12',
  variant: 'default',
};
const document = {
  products: {
    'debian:bookworm:amd64:default': {
      ...product,
      arch: 'amd64',
      support_eol: '2028-06-30',
      versions: {
        '20260101_0102': { items: items('old', 'a') },
        '20260202_0102': { items: items('new', 'b') },
      },
    },
    'debian:bookworm:arm64:default': {
      ...product,
      arch: 'arm64',
      versions: { '20260101_0102': { items: items('arm', 'c') } },
    },
    'strange:1:m68k': {
      ...product,
      arch: 'm68k',
      versions: { '20260101_0102': { items: items('m68k', 'd') } },
    },
  },
};

test('the lists of images of an index, below the server alone', () => {
  const entry = (path: string, datatype = 'image-downloads') => ({ datatype, path });
  const index = {
    a: entry('streams/v1/images.json'),
    b: entry('streams/v1/ids.json', 'image-ids'),
    c: entry('../x'),
    d: entry('/etc/x'),
    e: entry('https://other/x'),
  };
  expect(streamPaths({ index })).toEqual(['streams/v1/images.json']);
  expect(() => streamPaths({})).toThrow('is none');
  const list = { datatype: 'image-downloads', path: 'x.json' };
  const many = Object.fromEntries(Array.from({ length: 51 }, (_, at) => [at, list]));
  expect(() => streamPaths({ index: many })).toThrow('more than 50 lists');
});

test('other places that have the same, over TLS alone', () => {
  const mirrors = ['https://two/images/', 'http://three', 'ftp://four', 5, 'https://five'];
  expect(streamMirrors({ index: {}, mirrors })).toEqual(['https://two/images', 'https://five']);
  expect(streamMirrors({ index: {} })).toEqual([]);
  expect(streamMirrors({ mirrors: Array.from({ length: 99 }, (_, at) => `https://m${at}`) })).toHaveLength(
    10,
  );
});

test('the newest squashfs of this kind of machine has the plain names', () => {
  const images = streamImages(document, 'x86_64');
  expect(images.map(({ fingerprint, aliases }) => [fingerprint[0], aliases])).toEqual([
    ['b', ['debian/12/default', 'debian/12/default/amd64', 'debian/12', 'debian/12/amd64']],
    ['f', []],
    ['a', []],
    ['f', []],
    ['c', ['debian/12/default/arm64', 'debian/12/arm64']],
    ['f', []],
  ]);
  expect(images[0]).toMatchObject({
    architecture: 'x86_64',
    size: 110,
    filename: 'lxd.tar.xz',
    createdAt: '2026-02-02T00:00:00Z',
    expiresAt: '2028-06-30T00:00:00Z',
    properties: {
      architecture: 'amd64',
      description: 'Debian 12 amd64 (20260202_0102)',
      os: 'Debian',
      release: 'bookworm',
      serial: '20260202_0102',
      type: 'squashfs',
      variant: 'default',
    },
    files: [
      { kind: 'metadata', path: 'new/lxd.tar.xz', size: 10 },
      { kind: 'rootfs', path: 'new/root.squashfs', size: 100 },
    ],
  });
});

test('what makes a newer root of an older one is known by the image that it needs', () => {
  const delta = (base: string) => ({
    ftype: 'squashfs.vcdiff',
    path: `delta.${base}`,
    size: 7,
    delta_base: base,
  });
  const versions = {
    '1': { items: items('one', 'a') },
    '2': { items: { ...items('two', 'b'), old: delta('1'), lost: delta('0') } },
  };
  const [newer, tarball] = streamImages(
    { products: { p: { ...product, arch: 'amd64', versions } } },
    'x86_64',
  );
  expect(newer).toMatchObject({
    fingerprint: hash('b'),
    deltas: [{ base: hash('a'), path: 'delta.1', size: 7 }],
  });
  expect(tarball?.deltas).toEqual([]);
});

test('an image is found by a name or by the beginning of its fingerprint', () => {
  const images = streamImages(document, 'aarch64');
  expect(findStreamImage(images, 'debian/12').fingerprint).toBe(hash('c'));
  expect(findStreamImage(images, 'debian/12/amd64').fingerprint).toBe(hash('b'));
  expect(findStreamImage(images, 'aaaa').fingerprint).toBe(hash('a'));
  expect(() => findStreamImage(images, 'debian/13')).toThrow("couldn't be found");
  expect(() => findStreamImage(images, '')).toThrow("couldn't be found");
});

test('what is no such document has no images; paths lead nowhere else', () => {
  for (const wrong of [
    null,
    [],
    'x',
    {},
    { products: 5 },
    { products: { a: null, b: { arch: 'amd64', versions: [1] } } },
  ])
    expect(streamImages(wrong, 'x86_64')).toEqual([]);
  const away = { ...items('x', 'e'), 'root.squashfs': { ftype: 'squashfs', path: 'a/../../b', size: 1 } };
  const only = { a: { ...product, arch: 'amd64', versions: { '1': { items: away } } } };
  expect(streamImages({ products: only }, 'x86_64').map(({ fingerprint }) => fingerprint)).toEqual([
    hash('f'),
  ]);
});
