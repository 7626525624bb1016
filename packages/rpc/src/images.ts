import type { Readable } from 'node:stream';
import type { Config } from '@lxd-ts/core';

/**
 * One part of an image as it was uploaded: the whole, or metadata and rootfs of a split one. An image of an OCI registry is
 * its manifest, then those of its blobs that the member lacks.
 */
export interface ImagePart {
  kind: 'unified' | 'metadata' | 'rootfs' | 'delta' | 'manifest' | 'blob';
  /** Of a blob: `sha256:…`. Of a delta (xdelta3), in place of a rootfs: the fingerprint of the image whose rootfs it starts from. */
  digest?: string;
  body: Readable;
}

/** What is kept: a delta is not. */
export type ImageFileKind = Exclude<ImagePart['kind'], 'delta'>;

export interface ReceivedImage {
  fingerprint: string;
  size: number;
  architecture: string;
  type: 'container';
  /** `properties` of its metadata.yaml. */
  properties: Config;
  /** Seconds since the epoch; 0 when it does not say. */
  creationDate: number;
  expiryDate: number;
  /** Its files, in the order of the fingerprint; sizes in bytes. */
  files: { kind: ImageFileKind; size: number; sha256: string; squashfs: boolean }[];
  /** Of an OCI registry, or made of such an instance: the configuration that its instances begin with. */
  oci?: Config;
}

export interface ImageFile {
  kind: ImageFileKind;
  /** Of a blob: `sha256:…`. */
  digest?: string;
  /** `<fingerprint>.tar.xz`, `<fingerprint>.squashfs`, … */
  filename: string;
  size: number;
  body: Readable;
}
