import { Readable } from 'node:stream';
import { LxdError } from '@lxd-ts/core';
import type { ImageRecord } from '@lxd-ts/state';
import type { Reply, Route } from '../../http/route.ts';
import type { Services } from '../../services.ts';
import type { ImagesService } from './service.ts';
import { isManifest } from './view.ts';

/** LXD's names of kinds of machines → Debian's. */
const kinds: Readonly<Record<string, string>> = {
  x86_64: 'amd64',
  aarch64: 'arm64',
  armv7l: 'armhf',
  i686: 'i386',
  ppc: 'powerpc',
  ppc64le: 'ppc64el',
};

const listPath = 'streams/v1/images.json';

/** `20260131_0524` */
const versionOf = (time: string): string =>
  time.slice(0, 16).replaceAll('-', '').replace('T', '_').replace(':', '');

function itemsOf({ fingerprint, files = [] }: ImageRecord): Record<string, object> {
  const combined = files.some(({ squashfs }) => squashfs)
    ? 'combined_squashfs_sha256'
    : 'combined_rootxz_sha256';
  return Object.fromEntries(
    files.map(({ kind, size, sha256, squashfs }) => {
      const [name, ftype] = {
        manifest: [],
        blob: [],
        unified: ['lxd_combined.tar.gz', 'lxd_combined.tar.gz'],
        metadata: ['lxd.tar.xz', 'lxd.tar.xz'],
        rootfs: squashfs ? ['root.squashfs', 'squashfs'] : ['root.tar.xz', 'root.tar.xz'],
      }[kind] as [string, string];
      const path = `streams/v1/files/${fingerprint}/${kind}.${squashfs ? 'squashfs' : 'tar'}`;
      return [
        name,
        { ftype, path, size, sha256, ...(kind === 'metadata' ? { [combined]: fingerprint } : {}) },
      ];
    }),
  );
}

/** A product of its own for every image that is for everybody, and has files that are known one by one. */
export function streamProducts({ records }: Services): Record<string, object> {
  const project = 'default';
  const names = new Map<string, string[]>();
  for (const { value } of records.list('imageAliases', project))
    names.set(value.target, [...(names.get(value.target) ?? []), value.name]);
  return Object.fromEntries(
    records
      .list('images', project)
      .map(({ value }) => value)
      .filter((image) => image.public && image.files !== undefined && !isManifest(image))
      .map((image) => {
        const { fingerprint, architecture, properties, createdAt, uploadedAt, expiresAt } = image;
        const version = properties['serial'] || versionOf(createdAt || uploadedAt);
        const product = {
          aliases: (names.get(fingerprint) ?? []).join(','),
          arch: kinds[architecture] ?? architecture,
          os: properties['os'] ?? '',
          release: properties['release'] ?? '',
          release_title: properties['release_title'] ?? properties['release'] ?? '',
          ...(properties['variant'] ? { variant: properties['variant'] } : {}),
          ...(expiresAt ? { support_eol: expiresAt.slice(0, 10) } : {}),
          versions: { [/^\d{8}/.test(version) ? version : versionOf(uploadedAt)]: { items: itemsOf(image) } },
        };
        return [fingerprint, product];
      }),
  );
}

const document = (value: object): Reply => {
  const text = Buffer.from(JSON.stringify(value));
  return {
    kind: 'stream',
    body: Readable.from([text]),
    length: text.length,
    headers: { 'Content-Type': 'application/json', 'Content-Length': String(text.length) },
  };
};

/** This server as a server of images: what is public, as simplestreams. */
export function streamRoutes(services: Services, images: Pick<ImagesService, 'files'>): Route[] {
  const index: Route = {
    operationId: 'streamIndexGet',
    untrusted: true,
    handle: () => {
      const products = Object.keys(streamProducts(services));
      const entry = { datatype: 'image-downloads', path: listPath, format: 'products:1.0', products };
      return Promise.resolve(document({ format: 'index:1.0', index: { images: entry } }));
    },
  };
  const list: Route = {
    operationId: 'streamImagesGet',
    untrusted: true,
    handle: () =>
      Promise.resolve(
        document({
          content_id: 'images',
          datatype: 'image-downloads',
          format: 'products:1.0',
          products: streamProducts(services),
        }),
      ),
  };
  const file: Route = {
    operationId: 'streamFileGet',
    untrusted: true,
    async handle({ params, caller, signal }) {
      const image = services.records.get('images', 'default', params['fingerprint'] ?? '')?.value;
      if (!image?.public) throw new LxdError('not-found', 'Image not found');
      const { files } = await images.files('default', image.fingerprint, { signal, caller });
      const wanted = files.find(({ kind }) => kind === params['filename']?.split('.')[0]);
      for (const { body } of files) if (body !== wanted?.body) body.destroy();
      if (!wanted) throw new LxdError('not-found', 'The image has no such file');
      return {
        kind: 'stream',
        body: wanted.body,
        length: wanted.size,
        headers: { 'Content-Type': 'application/octet-stream', 'Content-Length': String(wanted.size) },
      };
    },
  };
  return [index, list, file];
}
