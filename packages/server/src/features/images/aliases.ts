import { LxdError, toLxdError } from '@lxd-ts/core';
import type { ImageAliasRecord, Versioned } from '@lxd-ts/state';
import type { Caller } from '../../http/route.ts';
import type { Services } from '../../services.ts';
import { findImage } from './view.ts';

export interface AliasBody {
  name?: string;
  target?: string;
  description?: string;
  type?: string;
}

interface Write {
  signal: AbortSignal;
  caller: Caller;
}

/** The image may be changed by others at the same moment. */
const attempts = 20;

export const aliasUrl = (name: string): string => `/1.0/images/aliases/${encodeURIComponent(name)}`;

/** LXD's ImageAliasesEntry. */
export const aliasView = ({ name, description, target, type }: ImageAliasRecord) => ({
  description,
  target,
  name,
  type,
});

export const aliasTag = ({ target, description }: ImageAliasRecord): unknown => ({ target, description });

/** @throws LxdError `not-found` */
export function findAlias(services: Services, project: string, name: string): Versioned<ImageAliasRecord> {
  const found = services.records.get('imageAliases', project, name);
  if (!found) throw new LxdError('not-found', 'Image alias not found');
  return found;
}

function announce(
  services: Services,
  action: string,
  project: string,
  name: string,
  caller: Caller,
  context?: Record<string, unknown>,
): void {
  services.events.lifecycle({
    action: `image-alias-${action}`,
    source: aliasUrl(name),
    project,
    requestor: { username: caller.username, protocol: caller.protocol },
    ...(context ? { context } : {}),
  });
}

/** @throws LxdError `conflict` when the name is taken, `invalid`, `not-found` */
export async function createAlias(
  services: Services,
  project: string,
  { name, target, description }: AliasBody,
  { signal, caller }: Write,
): Promise<void> {
  if (!name || !target) throw new LxdError('invalid', 'name and target are required');
  const taken = () => services.records.get('imageAliases', project, name) !== undefined;
  const exists = new LxdError('conflict', `Alias "${name}" already exists`);
  for (let attempt = 0; ; attempt++) {
    if (taken()) throw exists;
    const { value: image, revision } = findImage(services, project, target);
    const { fingerprint, type } = image;
    const record = { project, name, description: description ?? '', target: fingerprint, type };
    try {
      await services.records
        .transaction()
        .create('imageAliases', [project, name], record)
        // It is not deleted meanwhile: its names are with it.
        .guard('images', [project, fingerprint], revision)
        .commit({ signal });
      break;
    } catch (error) {
      if (attempt >= attempts || toLxdError(error).code !== 'precondition-failed') throw error;
    }
  }
  announce(services, 'created', project, name, caller, { target });
}

/** Those that a request for an image names. @throws LxdError `conflict` at the first that is taken, worded as LXD words it here */
export async function nameImage(
  services: Services,
  project: string,
  target: string,
  aliases: readonly AliasBody[],
  write: Write,
): Promise<void> {
  for (const { name = '', description } of aliases)
    try {
      await createAlias(services, project, { name, target, ...(description ? { description } : {}) }, write);
    } catch (error) {
      if (toLxdError(error).code !== 'conflict') throw error;
      throw new LxdError('conflict', `Alias already exists: ${name}`, { cause: error });
    }
}

/** `PUT` and `PATCH`: what `body` leaves out stays. @throws LxdError `not-found`, `precondition-failed` */
export async function changeAlias(
  services: Services,
  project: string,
  name: string,
  body: AliasBody,
  { signal, caller }: Write,
): Promise<void> {
  const { value, revision } = findAlias(services, project, name);
  const target =
    body.target === undefined ? value.target : findImage(services, project, body.target).value.fingerprint;
  const record = { ...value, target, description: body.description ?? value.description };
  await services.records
    .transaction()
    .update('imageAliases', [project, name], revision, record)
    .commit({ signal });
  announce(services, 'updated', project, name, caller, { target: body.target ?? target });
}

/** @throws LxdError `not-found`, `conflict` */
export async function renameAlias(
  services: Services,
  project: string,
  name: string,
  to: string,
  { signal, caller }: Write,
): Promise<void> {
  const { value, revision } = findAlias(services, project, name);
  if (to === '') throw new LxdError('invalid', 'The name field is required');
  const taken = () => services.records.get('imageAliases', project, to) !== undefined;
  const exists = new LxdError('conflict', `Alias "${to}" already exists`);
  if (taken()) throw exists;
  try {
    await services.records
      .transaction()
      .delete('imageAliases', [project, name], revision)
      .create('imageAliases', [project, to], { ...value, name: to })
      .commit({ signal });
  } catch (error) {
    throw taken() ? exists : error;
  }
  announce(services, 'renamed', project, to, caller, { old_name: name });
}

/** @throws LxdError `not-found` */
export async function deleteAlias(
  services: Services,
  project: string,
  name: string,
  { signal, caller }: Write,
): Promise<void> {
  const { revision } = findAlias(services, project, name);
  await services.records.transaction().delete('imageAliases', [project, name], revision).commit({ signal });
  announce(services, 'deleted', project, name, caller);
}
