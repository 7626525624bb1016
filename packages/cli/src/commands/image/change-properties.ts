import type { Image } from '@lxd-ts/client';
import type { Place } from '../../base/shell.ts';
import { imageFields, imagePath } from './find-image.ts';

type Properties = Record<string, string>;

/** Reads, changes and writes back; refused when somebody else wrote in between. */
export async function changeProperties(
  [context, name]: Place,
  change: (properties: Properties) => Properties,
): Promise<void> {
  const path = await imagePath(context, name);
  const { metadata, etag } = await context.client.getWithEtag<Image>(path);
  const body = Object.fromEntries(imageFields.map((field) => [field, metadata[field]]));
  await context.change('PUT', path, { body: { ...body, properties: change(metadata.properties) }, etag });
}
