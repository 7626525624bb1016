import { parseOciDocument, selectOciEntry, type OciEntry } from './manifest.ts';

const digest = (digit: string) => `sha256:${digit.repeat(64)}`;
const config = { mediaType: 'application/vnd.oci.image.config.v1+json', digest: digest('a'), size: 10 };
const layer = { mediaType: 'application/vnd.oci.image.layer.v1.tar+gzip', digest: digest('b'), size: 20 };
const manifest = (more: object = {}) =>
  JSON.stringify({
    ...{ schemaVersion: 2, mediaType: 'application/vnd.oci.image.manifest.v1+json', config, layers: [layer] },
    ...more,
  });

it('reads manifests of both kinds', () => {
  expect(parseOciDocument(manifest())).toEqual({
    kind: 'manifest',
    manifest: { config, layers: [{ ...layer, packing: 'gzip' }] },
  });
  const docker = manifest({
    mediaType: 'application/vnd.docker.distribution.manifest.v2+json',
    config: { ...config, mediaType: 'application/vnd.docker.container.image.v1+json' },
    layers: [{ ...layer, mediaType: 'application/vnd.docker.image.rootfs.diff.tar.gzip' }],
  });
  expect(parseOciDocument(docker)).toMatchObject({ manifest: { layers: [{ packing: 'gzip' }] } });
  // Where it does not say what it is, the registry does.
  expect(parseOciDocument(manifest({ mediaType: undefined }))).toMatchObject({ kind: 'manifest' });
});

it.each([
  ['{', /not JSON/],
  ['[]', /version/],
  [manifest({ schemaVersion: 1 }), /version 1/],
  [manifest({ mediaType: 'application/x' }), /unknown kind/],
  [manifest({ manifests: [] }), /at once/],
  [
    manifest({ config: { ...config, mediaType: 'application/vnd.cncf.helm.config.v1+json' } }),
    /no image of a container/,
  ],
  [manifest({ config: { ...config, digest: 'md5:1' } }), /no digest/],
  [manifest({ config: { ...config, size: -1 } }), /without a size/],
  [manifest({ layers: [{ ...layer, size: 1.5 }] }), /without a size/],
  [
    manifest({
      layers: [{ ...layer, mediaType: 'application/vnd.docker.image.rootfs.foreign.diff.tar.gzip' }],
    }),
    /may not be distributed/,
  ],
  [
    manifest({
      layers: [{ ...layer, mediaType: 'application/vnd.oci.image.layer.nondistributable.v1.tar' }],
    }),
    /may not be distributed/,
  ],
  [manifest({ layers: [{ ...layer, urls: ['https://elsewhere'] }] }), /fetched from elsewhere/],
  [manifest({ layers: [{ ...layer, mediaType: 'application/x' }] }), /not known here: "application\/x"/],
  [manifest({ layers: Array.from({ length: 501 }, () => layer) }), /more than 500/],
])('%.60s is refused', (text, message) => {
  expect(() => parseOciDocument(text)).toThrow(message);
});

describe('an index', () => {
  const entry = (architecture: string, variant = '', os = 'linux'): OciEntry => ({
    ...{ mediaType: 'application/vnd.oci.image.manifest.v1+json', size: 1 },
    digest: digest(String(architecture.length % 10)),
    ...{ os, architecture, variant },
  });
  const index = (manifests: object[], more: object = {}) =>
    JSON.stringify({
      schemaVersion: 2,
      mediaType: 'application/vnd.oci.image.index.v1+json',
      manifests,
      ...more,
    });

  it('is read, also when only its fields tell', () => {
    const one = {
      mediaType: 'm',
      digest: digest('1'),
      size: 1,
      platform: { os: 'linux', architecture: 'amd64' },
    };
    const expected = {
      kind: 'index',
      entries: [
        { mediaType: 'm', digest: digest('1'), size: 1, os: 'linux', architecture: 'amd64', variant: '' },
      ],
    };
    expect(parseOciDocument(index([one]))).toEqual(expected);
    expect(parseOciDocument(index([one], { mediaType: undefined }))).toEqual(expected);
    expect(() => parseOciDocument(index([one], { layers: [] }))).toThrow(/at once/);
  });

  it.each([
    ['x86_64', [entry('arm64', 'v8'), entry('amd64')], 1],
    ['aarch64', [entry('arm64', 'v8'), entry('amd64')], 0],
    ['aarch64', [entry('arm64')], 0],
    ['armv7l', [entry('arm', 'v6'), entry('arm', 'v7')], 1],
    ['x86_64', [entry('amd64', 'v3'), entry('amd64')], 1],
    ['x86_64', [entry('amd64', '', 'windows'), entry('amd64')], 1],
    // Attestations say that they are for nothing.
    ['x86_64', [entry('unknown', '', 'unknown'), entry('amd64')], 1],
    ['x86_64', [entry('', '', '')], 0],
  ])('for %s', (architecture, entries, expected) => {
    expect(selectOciEntry(entries, architecture)).toBe(entries[expected]);
  });

  it('without one for this machine says what there is', () => {
    const entries = [entry('arm64', 'v8'), entry('s390x'), entry('amd64', '', 'windows')];
    expect(() => selectOciEntry(entries, 'x86_64')).toThrow('no image for x86_64: only for aarch64, s390x');
    expect(() => selectOciEntry([], 'x86_64')).toThrow('none for Linux');
  });
});
