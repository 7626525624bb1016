import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync, zstdCompressSync } from 'node:zlib';

export const sha256 = (data: Buffer | string): string => createHash('sha256').update(data).digest('hex');

export type Packing = 'tar' | 'gzip' | 'zstd';

export interface Blob {
  digest: string;
  bytes: Buffer;
}

/** An image as a registry takes it. */
export interface OciTestImage {
  manifest: Buffer;
  mediaType: string;
  /** Hexadecimal. */
  fingerprint: string;
  blobs: Blob[];
  layers: Blob[];
}

/** A tarball of what `build` puts into an empty directory. */
export function makeLayer(dir: string, build: (root: string) => void): Buffer {
  mkdirSync(dir, { recursive: true });
  const root = mkdtempSync(join(dir, 'layer-'));
  chmodSync(root, 0o755);
  try {
    build(root);
    const options = [
      '--sort=name',
      '--mtime=@1700000000',
      '--numeric-owner',
      '--xattrs',
      '--xattrs-include=*',
    ];
    return execFileSync('tar', [...options, '--format=pax', '-C', root, '-cf', '-', '.'], {
      maxBuffer: 1024 ** 3,
    });
  } finally {
    rmSync(root, { recursive: true });
  }
}

const packers: Readonly<Record<Packing, (data: Buffer) => Buffer>> = {
  tar: (data) => data,
  gzip: (data) => gzipSync(data),
  // In two frames, as it may be.
  zstd: (data) => {
    const half = Math.floor(data.length / 2);
    return Buffer.concat([zstdCompressSync(data.subarray(0, half)), zstdCompressSync(data.subarray(half))]);
  },
};

const types = {
  oci: {
    manifest: 'application/vnd.oci.image.manifest.v1+json',
    config: 'application/vnd.oci.image.config.v1+json',
    layer: {
      tar: 'application/vnd.oci.image.layer.v1.tar',
      gzip: 'application/vnd.oci.image.layer.v1.tar+gzip',
      zstd: 'application/vnd.oci.image.layer.v1.tar+zstd',
    },
  },
  docker: {
    manifest: 'application/vnd.docker.distribution.manifest.v2+json',
    config: 'application/vnd.docker.container.image.v1+json',
    layer: {
      tar: 'application/vnd.docker.image.rootfs.diff.tar',
      gzip: 'application/vnd.docker.image.rootfs.diff.tar.gzip',
      zstd: 'application/vnd.docker.image.rootfs.diff.tar.zstd',
    },
  },
} as const;

const blob = (bytes: Buffer): Blob => ({ digest: `sha256:${sha256(bytes)}`, bytes });

/** @param layers plain tarballs, the lowest first */
export function makeOciImage(
  layers: readonly { tar: Buffer; packing?: Packing }[],
  config: Record<string, unknown>,
  { kind = 'oci', architecture = 'amd64' }: { kind?: 'oci' | 'docker'; architecture?: string } = {},
): OciTestImage {
  const names = types[kind];
  const packed = layers.map(({ tar, packing = 'gzip' }) => ({ packing, ...blob(packers[packing](tar)) }));
  const settings = blob(
    Buffer.from(
      JSON.stringify({
        ...{ created: '2026-01-02T03:04:05Z', architecture, os: 'linux', config },
        rootfs: { type: 'layers', diff_ids: layers.map(({ tar }) => `sha256:${sha256(tar)}`) },
      }),
    ),
  );
  const part = (mediaType: string, { digest, bytes }: Blob) => ({ mediaType, digest, size: bytes.length });
  const manifest = Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: names.manifest,
      config: part(names.config, settings),
      layers: packed.map((one) => part(names.layer[one.packing], one)),
    }),
  );
  return {
    manifest,
    mediaType: names.manifest,
    fingerprint: sha256(manifest),
    blobs: [settings, ...packed],
    layers: packed,
  };
}

/** The image as a directory that other tools read, under the tag `image`. */
export function writeOciLayout(dir: string, image: OciTestImage): void {
  mkdirSync(join(dir, 'blobs/sha256'), { recursive: true });
  writeFileSync(join(dir, 'oci-layout'), JSON.stringify({ imageLayoutVersion: '1.0.0' }));
  for (const { digest, bytes } of image.blobs)
    writeFileSync(join(dir, 'blobs/sha256', digest.slice('sha256:'.length)), bytes);
  writeFileSync(join(dir, 'blobs/sha256', image.fingerprint), image.manifest);
  const entry = {
    mediaType: image.mediaType,
    digest: `sha256:${image.fingerprint}`,
    size: image.manifest.length,
    annotations: { 'org.opencontainers.image.ref.name': 'image' },
  };
  writeFileSync(join(dir, 'index.json'), JSON.stringify({ schemaVersion: 2, manifests: [entry] }));
}
