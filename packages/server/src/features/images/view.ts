import { LxdError } from '@lxd-ts/core';
import type { ImageRecord, Versioned } from '@lxd-ts/state';
import type { Services } from '../../services.ts';

const epoch = '1970-01-01T00:00:00Z';
/** How LXD writes "never used". */
const never = '0001-01-01T00:00:00Z';

export const imageUrl = (fingerprint: string): string => `/1.0/images/${fingerprint}`;

/**
 * An image by its fingerprint or the beginning of it.
 * @param isSeen of those that whoever asks may know of: others are as if they were not there
 * @throws LxdError `not-found`, `invalid` when several begin so
 */
export function findImage(
  { records }: Pick<Services, 'records'>,
  project: string,
  prefix: string,
  isSeen: (image: ImageRecord) => boolean = () => true,
): Versioned<ImageRecord> {
  const exact = records.get('images', project, prefix);
  if (exact && isSeen(exact.value)) return exact;
  const found = records
    .list('images', project)
    .filter(({ value }) => prefix !== '' && value.fingerprint.startsWith(prefix) && isSeen(value));
  if (found.length > 1) throw new LxdError('invalid', 'Partial fingerprint matches more than one image');
  if (!found[0]) throw new LxdError('not-found', 'Image not found');
  return found[0];
}

/** Whether it is one of an OCI registry: a manifest and blobs. */
export const isManifest = ({ files }: ImageRecord): boolean => files?.[0]?.kind === 'manifest';

/** What an ETag of an image stands for. */
export const imageTag = (image: ImageRecord): unknown => [image.public, image.autoUpdate, image.properties];

/** Where a newer one is looked for, without what opens it. */
const sourceView = ({ secret: _, ...source }: NonNullable<ImageRecord['source']>): object => ({
  ...source,
  image_type: '',
});

/** LXD's Image. */
export function imageView(services: Services, image: ImageRecord): Record<string, unknown> {
  const aliases = services.records
    .list('imageAliases', image.project)
    .filter(({ value }) => value.target === image.fingerprint)
    .map(({ value: { name, description } }) => ({ name, description }));
  return {
    auto_update: image.autoUpdate,
    properties: image.properties,
    public: image.public,
    expires_at: image.expiresAt || epoch,
    profiles: image.profiles,
    aliases,
    architecture: image.architecture,
    cached: image.cached,
    filename: image.filename,
    fingerprint: image.fingerprint,
    size: image.size,
    type: image.type,
    created_at: image.createdAt || epoch,
    last_used_at: image.lastUsedAt || never,
    uploaded_at: image.uploadedAt,
    ...(image.source ? { update_source: sourceView(image.source) } : {}),
  };
}
