import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { createReadStream, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join, normalize } from 'node:path';
import type { BusyboxImage } from './busybox.ts';
import { makeCertificate } from './certificate.ts';

const sha256 = (...files: string[]): string => {
  const hash = createHash('sha256');
  for (const file of files) hash.update(readFileSync(file));
  return hash.digest('hex');
};

export interface ImageServer extends AsyncDisposable {
  url: string;
  /** PEM file of its certificate. */
  certificate: string;
  /** Path and range of every request. */
  asked: string[];
  /** The next answer of more than these bytes breaks off after them. */
  breakAfter(bytes: number): void;
  /** The same, but it only stops. */
  stallAfter(bytes: number): void;
  /** Adds a version of busybox that has one more file, and returns its fingerprint; `from` is a version that a delta starts from. */
  publish(version: string, from?: string): string;
}

/**
 * A real simplestreams tree over HTTPS: `busybox/1` (split, as squashfs and tar.xz) and `whole` (one file), for this
 * architecture and for another; `/pointer` is an address to import `whole` from.
 */
export async function serveImages(dir: string, image: BusyboxImage): Promise<ImageServer> {
  const tree = join(dir, 'tree');
  mkdirSync(join(tree, 'streams/v1'), { recursive: true });
  const versions: Record<string, object> = {};
  const item = (path: string, ftype: string, more: object = {}) => {
    const file = join(tree, path);
    return { ftype, path, size: statSync(file).size, sha256: sha256(file), ...more };
  };
  const write = () => {
    const product = {
      aliases: 'busybox/1,busybox',
      os: 'Busybox',
      release: 'one',
      release_title: '1',
      variant: 'default',
    };
    const whole = join(tree, 'whole.tar.gz');
    writeFileSync(whole, readFileSync(image.unified));
    writeFileSync(join(tree, 'other.tar.gz'), readFileSync(image.rootfs));
    const products = {
      content_id: 'images',
      datatype: 'image-downloads',
      format: 'products:1.0',
      products: {
        'busybox:one:amd64:default': {
          ...product,
          arch: 'amd64',
          requirements: { secureboot: 'false' },
          versions,
        },
        'busybox:one:arm64:default': {
          ...product,
          arch: 'arm64',
          versions: {
            '20260101_0102': { items: { 'root.tar.xz': item('other.tar.gz', 'lxd_combined.tar.gz') } },
          },
        },
        'whole:1:amd64:default': {
          ...{ aliases: 'whole', os: 'Whole', release: '1', release_title: '1', arch: 'amd64' },
          versions: {
            '20260101_0102': {
              items: { 'lxd_combined.tar.gz': item('whole.tar.gz', 'lxd_combined.tar.gz') },
            },
          },
        },
      },
    };
    const index = {
      format: 'index:1.0',
      index: {
        images: {
          datatype: 'image-downloads',
          path: 'streams/v1/images.json',
          format: 'products:1.0',
          products: Object.keys(products.products),
        },
        other: { datatype: 'image-ids', path: 'streams/v1/other.json', format: 'products:1.0', products: [] },
      },
    };
    writeFileSync(join(tree, 'streams/v1/index.json'), JSON.stringify(index));
    writeFileSync(join(tree, 'streams/v1/images.json'), JSON.stringify(products));
  };
  const publish = (version: string, from?: string): string => {
    const at = `images/busybox/${version}`;
    mkdirSync(join(tree, at), { recursive: true });
    const [metadata, squashfs, tarball] = ['lxd.tar.xz', 'root.squashfs', 'root.tar.xz'].map((name) =>
      join(tree, at, name),
    );
    const root = join(dir, 'root');
    execFileSync('sh', [
      '-c',
      [
        'mkdir -p "$1" && tar -xf "$2" -C "$1" && echo "$4" >"$1/etc/version"',
        'rm -f "$5" && mksquashfs "$1" "$5" -quiet -no-progress -noappend -all-time 0 >/dev/null',
        'tar -C "$1" -cJf "$6" . && cd "$(dirname "$3")" && zcat -f "$3" | xz >"$7"',
      ].join('\n'),
      'sh',
      ...[root, image.rootfs, image.metadata, version, squashfs ?? '', tarball ?? '', metadata ?? ''],
    ]);
    const delta = join(at, 'root.delta.vcdiff');
    if (from !== undefined) {
      const before = join(tree, 'images/busybox', from, 'root.squashfs');
      execFileSync('xdelta3', ['-e', '-f', '-s', before, squashfs ?? '', join(tree, delta)]);
    }
    versions[version] = {
      items: {
        ...(from === undefined ? {} : { delta: item(delta, 'squashfs.vcdiff', { delta_base: from }) }),
        'lxd.tar.xz': item(`${at}/lxd.tar.xz`, 'lxd.tar.xz', {
          combined_squashfs_sha256: sha256(metadata ?? '', squashfs ?? ''),
          combined_rootxz_sha256: sha256(metadata ?? '', tarball ?? ''),
        }),
        'root.squashfs': item(`${at}/root.squashfs`, 'squashfs'),
        'root.tar.xz': item(`${at}/root.tar.xz`, 'root.tar.xz'),
      },
    };
    write();
    return sha256(metadata ?? '', squashfs ?? '');
  };
  publish('20260101_0102');

  const { key, certificate } = makeCertificate(dir);
  const asked: string[] = [];
  let breakAfter = Infinity;
  let stalls = false;
  const server: Server = createServer(
    { key: readFileSync(key), cert: readFileSync(certificate) },
    (request, response) => {
      const path = normalize(decodeURIComponent(request.url?.split('?')[0] ?? '/'));
      asked.push([path, request.headers.range ?? ''].join(' ').trim());
      if (path.startsWith('/pointer')) {
        // An address that stands for an image: what it is, and where.
        const hash = path === '/pointer/wrong' ? 'a'.repeat(64) : sha256(join(tree, 'whole.tar.gz'));
        if (path !== '/pointer/nothing') response.setHeader('LXD-Image-Hash', hash);
        response.setHeader('LXD-Image-URL', '/whole.tar.gz').end();
        return;
      }
      const file = join(tree, path);
      const found = statSync(file, { throwIfNoEntry: false });
      if (!found?.isFile()) {
        response.writeHead(404).end();
        return;
      }
      const start = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1] ?? 0);
      const headers = { 'Content-Length': found.size - start, 'Accept-Ranges': 'bytes' };
      if (start > 0)
        response.writeHead(206, {
          ...headers,
          'Content-Range': `bytes ${start}-${found.size - 1}/${found.size}`,
        });
      else response.writeHead(200, headers);
      if (found.size - start > breakAfter) {
        const end = start + breakAfter - 1;
        breakAfter = Infinity;
        createReadStream(file, { start, end })
          .on('end', () => stalls || setTimeout(() => response.destroy(), 50))
          .pipe(response, { end: false });
      } else createReadStream(file, { start }).pipe(response);
    },
  );
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const { port } = server.address() as AddressInfo;
  return {
    url: `https://127.0.0.1:${port}`,
    certificate,
    asked,
    breakAfter: (bytes) => {
      breakAfter = bytes;
      stalls = false;
    },
    stallAfter: (bytes) => {
      breakAfter = bytes;
      stalls = true;
    },
    publish,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((done) => server.close(done));
    },
  };
}
