import type { Config } from '@lxd-ts/core';
import type { ImageRecord, InstanceRecord } from '@lxd-ts/state';
import type { Services } from '../../services.ts';

/** What an image of a registry says of how it runs. What a profile says is the user's wish and goes before it. */
export function ociConfig(
  { records }: Services,
  { oci = {} }: ImageRecord,
  { project, profiles }: Pick<InstanceRecord, 'project' | 'profiles'>,
): Config {
  const wished = new Set(
    profiles.flatMap((name) => Object.keys(records.get('profiles', project, name)?.value.config ?? {})),
  );
  return Object.fromEntries(Object.entries(oci).filter(([key]) => !wished.has(key)));
}
