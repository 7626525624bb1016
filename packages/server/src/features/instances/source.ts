import { LxdError } from '@lxd-ts/core';
import type { ImageRecord } from '@lxd-ts/state';
import type { Services } from '../../services.ts';
import type { InstanceSourceBody } from './requests.ts';

const matches = (image: ImageRecord, wanted: Record<string, string>): boolean =>
  Object.entries(wanted).every(([name, value]) => image.properties[name] === value);

/**
 * The image a request means. undefined: a fingerprint that nothing has (LXD finds out in the operation).
 * @throws LxdError `not-found` for an alias, `internal` (as LXD) for properties
 */
export function sourceImage(
  services: Services,
  project: string,
  source: InstanceSourceBody,
): ImageRecord | undefined {
  const { records } = services;
  if (source.fingerprint) {
    const found = records
      .list('images', project)
      .filter(({ value }) => value.fingerprint.startsWith(source.fingerprint ?? ''));
    return found.length === 1 ? found[0]?.value : undefined;
  }
  if (source.alias) {
    const alias = records.get('imageAliases', project, source.alias);
    const image = alias && records.get('images', project, alias.value.target);
    if (!image) throw new LxdError('not-found', 'Image alias not found');
    return image.value;
  }
  if (source.properties) {
    const wanted = source.properties;
    const newest = records
      .list('images', project)
      .map(({ value }) => value)
      .filter((image) => matches(image, wanted))
      .sort((a, b) => b.createdAt.localeCompare(a.createdAt))[0];
    if (!newest) throw new LxdError('internal', 'No matching image could be found');
    return newest;
  }
  throw new LxdError('internal', 'Must specify one of alias, fingerprint or properties for init from image');
}
