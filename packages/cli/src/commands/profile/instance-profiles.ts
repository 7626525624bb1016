import type { Instance } from '@lxd-ts/client';
import type { Context } from '../../base/context.ts';
import { instanceFields } from '../../base/entities.ts';
import { apiPath } from '../../base/names.ts';

/** Replaces the profiles of an instance by what `change` makes of them. */
export async function changeProfiles(
  context: Context,
  name: string,
  change: (profiles: readonly string[]) => readonly string[],
): Promise<void> {
  const path = apiPath('instances', name);
  const { metadata, etag } = await context.client.getWithEtag<Instance>(path);
  const body = Object.fromEntries(instanceFields.map((field) => [field, metadata[field]]));
  await context.change('PUT', path, { body: { ...body, profiles: change(metadata.profiles) }, etag });
}
