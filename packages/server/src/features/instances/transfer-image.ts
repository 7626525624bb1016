import { LxdError, toLxdError } from '@lxd-ts/core';
import type { CallOptions, ImageFile, ImagePart } from '@lxd-ts/rpc';
import type { Services } from '../../services.ts';

/** @param known blobs that are there already */
async function* parts(files: readonly ImageFile[], known: ReadonlySet<string>): AsyncIterable<ImagePart> {
  for (const { kind, digest, body } of files) {
    if (digest === undefined) yield await Promise.resolve({ kind, body });
    else if (!known.has(digest)) yield { kind, digest, body };
  }
}

/**
 * Brings an image's files to a member, from one that has them.
 * @throws LxdError `not-found`, `unavailable` when no member that has them is online
 */
export async function bringImage(
  services: Services,
  project: string,
  fingerprint: string,
  member: string,
  options: CallOptions,
): Promise<void> {
  const image = services.records.get('images', project, fingerprint)?.value;
  if (!image) throw new LxdError('not-found', 'Image not found');
  if (image.members.includes(member)) return;
  const online = services.agents.online();
  const source = image.members.find((name) => online.includes(name));
  if (source === undefined)
    throw new LxdError('unavailable', `No member that has image "${fingerprint}" is online`);
  const files = await services.agents.get(source).sendImage(fingerprint, options);
  try {
    const target = services.agents.get(member);
    const digests = files.flatMap(({ digest }) => digest ?? []);
    const missing = digests.length > 0 ? await target.missingBlobs(digests, options) : [];
    const known = new Set(digests.filter((digest) => !missing.includes(digest)));
    await target.receiveImage(parts(files, known), { ...options, expected: fingerprint });
  } finally {
    for (const { body } of files) body.destroy();
  }
  const add = (members: string[]) => (members.includes(member) ? members : [...members, member]);
  try {
    await services.records.modify(
      'images',
      [project, fingerprint],
      (record) => ({ ...record, members: add(record.members) }),
      options,
    );
  } catch (error) {
    // It was deleted meanwhile: whoever did that did not know of this copy.
    const wanted = services.records.list('images').some(({ value }) => value.fingerprint === fingerprint);
    if (toLxdError(error).code === 'not-found' && !wanted)
      await services.agents.get(member).deleteImage(fingerprint, [], options);
    throw error;
  }
}
