import { LxdError, parseOciReference, toLxdError } from '@lxd-ts/core';
import type { Image } from '@lxd-ts/client';
import type { Context } from '../base/context.ts';
import { findImage } from '../commands/image/find-image.ts';
import { locateImage, type FoundImage } from '../remotes/image-source.ts';
import { bootstrapIdentity, bootstrapSources } from './bootstrap.ts';
import type { BuildBase } from './document/build-document.ts';
import type { BuildInputs } from './read-inputs.ts';

/** What a build begins with, found. */
export type FoundBase =
  | { kind: 'image'; title: string; identity: unknown; image: Image; found: FoundImage }
  | {
      kind: 'bootstrap';
      title: string;
      identity: unknown;
      from: Extract<BuildBase, { kind: 'bootstrap' }>;
      sources: Readonly<Record<string, string>>;
      keyring: string | undefined;
    };

/** An image is of the server that builds unless another remote is named. */
async function locate(context: Context, text: string): Promise<{ image: Image; found: FoundImage }> {
  const { shell } = context;
  const [remote] = await shell.split(text);
  if (remote === undefined) {
    const image = await findImage(context, text);
    return { image, found: { kind: 'lxd', context, image, public: image.public } };
  }
  const found = await locateImage(shell, text);
  if (found.kind === 'lxd') return { image: found.image, found };
  const [server, name] = await shell.image(text);
  const image = await findImage(server, name);
  // The very image that was looked at, whatever its name means in a moment.
  const { fingerprint } = image;
  const { source } = found;
  const alias =
    found.kind === 'oci'
      ? `${parseOciReference(name, String(source['server'])).repository}@sha256:${fingerprint}`
      : fingerprint;
  return { image, found: { ...found, source: { ...source, alias } } };
}

/** @throws LxdError naming the field */
export async function findBase(
  context: Context,
  from: BuildBase,
  keyring: BuildInputs['keyring'],
): Promise<FoundBase> {
  if (from.kind === 'bootstrap') {
    const sources = await bootstrapSources(from);
    return {
      kind: 'bootstrap',
      title: `from ${from.distribution} ${from.release} (${from.variant})`,
      identity: bootstrapIdentity(from, sources, keyring?.sha256),
      from,
      sources,
      keyring: keyring?.path,
    };
  }
  try {
    const { image, found } = await locate(context, from.image);
    const { fingerprint } = image;
    return { kind: 'image', title: `from ${from.image}`, identity: { fingerprint }, image, found };
  } catch (error) {
    const { code, message } = toLxdError(error);
    if (code !== 'not-found') throw error;
    throw new LxdError(code, `from.image: "${from.image}" cannot be found: ${message}`, { cause: error });
  }
}
