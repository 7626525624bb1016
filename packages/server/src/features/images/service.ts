import { LxdError, toLxdError } from '@lxd-ts/core';
import type { OperationView } from '@lxd-ts/operations';
import type { ImageFile } from '@lxd-ts/rpc';
import type { ImageRecord } from '@lxd-ts/state';
import type { Caller } from '../../http/route.ts';
import type { Services } from '../../services.ts';
import { poolSpecsOn } from '../instances/spec.ts';
import { findImage, imageUrl, isManifest } from './view.ts';
import { forgetUnpacked, unpackedOf } from '../volumes/image-volumes.ts';

export interface ImagePut {
  auto_update?: boolean;
  public?: boolean;
  properties?: Record<string, string> | null;
  expires_at?: string;
  profiles?: string[] | null;
}

const set = (properties: Record<string, string>): Record<string, string> =>
  Object.fromEntries(Object.entries(properties).filter(([, value]) => value !== ''));

function timeOf(text: string): string {
  const time = new Date(text);
  if (Number.isNaN(time.getTime()))
    throw new LxdError('invalid', `Invalid "expires_at": "${text}" is not an RFC 3339 time`);
  return time.getTime() > 0 ? time.toISOString() : '';
}

/** Others may give an image names, or use it, at the same moment. */
const attempts = 20;

/** The record and its names go, or from now on they mean `successor`. @throws LxdError `not-found` */
async function forgetImage(
  { records }: Services,
  project: string,
  fingerprint: string,
  { signal, successor }: { signal: AbortSignal; successor?: string },
): Promise<ImageRecord> {
  for (let attempt = 0; ; attempt++) {
    const { value: image, revision } = findImage({ records }, project, fingerprint);
    const transaction = records.transaction().delete('images', [project, fingerprint], revision);
    for (const { value, revision: seen } of records.list('imageAliases', project)) {
      if (value.target !== fingerprint) continue;
      const id: [string, string] = [project, value.name];
      if (successor === undefined) transaction.delete('imageAliases', id, seen);
      else transaction.update('imageAliases', id, seen, { ...value, target: successor });
    }
    try {
      await transaction.commit({ signal });
      return image;
    } catch (error) {
      if (attempt >= attempts || toLxdError(error).code !== 'precondition-failed') throw error;
    }
  }
}

/** Removes the record, then the files. @param options.successor has its names from now on @throws LxdError `not-found` */
export async function dropImage(
  services: Services,
  project: string,
  fingerprint: string,
  options: { signal: AbortSignal; successor?: string },
): Promise<void> {
  const { agents } = services;
  const { signal } = options;
  await forgetUnpacked(services, unpackedOf(services, fingerprint), options);
  const image = await forgetImage(services, project, fingerprint, options);
  const online = agents.online();
  await Promise.all(
    image.members
      .filter((member) => online.includes(member))
      .map((member) =>
        agents.get(member).deleteImage(fingerprint, poolSpecsOn(services, member), { signal }),
      ),
  );
}

/** Its fingerprint is that of its manifest: no file that others would take for it has it. */
const notFiles = (fingerprint: string): LxdError =>
  new LxdError(
    'invalid',
    `Image "${fingerprint.slice(0, 12)}" is from an OCI registry and cannot be exported: fetch it from the registry, or publish an instance of it`,
  );

/** Images as records; their files are the members' business. */
export function imagesService(services: Services) {
  const { records, events } = services;
  const lifecycle = (action: string, fingerprint: string, project: string, caller: Caller) =>
    events.lifecycle({
      action,
      source: imageUrl(fingerprint),
      project,
      requestor: { username: caller.username, protocol: caller.protocol },
    });

  /** @throws LxdError `not-found`, `invalid`, `precondition-failed` */
  async function change(
    project: string,
    prefix: string,
    next: (image: ImageRecord) => ImageRecord,
    { signal, revision, caller }: { signal: AbortSignal; revision: number | undefined; caller: Caller },
  ): Promise<void> {
    const found = findImage(services, project, prefix);
    const { fingerprint } = found.value;
    if (revision === undefined) await records.modify('images', [project, fingerprint], next, { signal });
    else
      await records
        .transaction()
        .update('images', [project, fingerprint], revision, next(found.value))
        .commit({ signal });
    lifecycle('image-updated', fingerprint, project, caller);
  }

  return {
    put(
      project: string,
      prefix: string,
      body: ImagePut,
      options: { signal: AbortSignal; revision: number | undefined; caller: Caller },
    ): Promise<void> {
      const expiresAt = body.expires_at === undefined ? undefined : timeOf(body.expires_at);
      for (const profile of body.profiles ?? []) {
        if (!records.get('profiles', project, profile))
          throw new LxdError('invalid', `Profile '${profile}' doesn't exist`);
      }
      return change(
        project,
        prefix,
        (image) => ({
          ...image,
          public: body.public ?? false,
          autoUpdate: body.auto_update ?? false,
          properties: set(body.properties ?? {}),
          expiresAt: expiresAt ?? image.expiresAt,
          profiles: body.profiles ?? image.profiles,
        }),
        options,
      );
    },

    patch(
      project: string,
      prefix: string,
      body: ImagePut,
      options: { signal: AbortSignal; revision: number | undefined; caller: Caller },
    ): Promise<void> {
      const expiresAt = body.expires_at === undefined ? undefined : timeOf(body.expires_at);
      return change(
        project,
        prefix,
        (image) => ({
          ...image,
          public: body.public ?? image.public,
          autoUpdate: body.auto_update ?? image.autoUpdate,
          properties: set({ ...image.properties, ...body.properties }),
          expiresAt: expiresAt ?? image.expiresAt,
        }),
        options,
      );
    },

    /** The record and its aliases first: files that a crash leaves are found again by the next upload. */
    delete(project: string, prefix: string, caller: Caller): Promise<OperationView> {
      const { fingerprint } = findImage(services, project, prefix).value;
      return services.operations.start({
        class: 'task',
        description: 'Deleting image',
        project,
        resources: { images: [fingerprint] },
        run: async ({ signal }) => {
          await dropImage(services, project, fingerprint, { signal });
          lifecycle('image-deleted', fingerprint, project, caller);
        },
      });
    },

    /** Its files, from a member that has them. @throws LxdError `not-found`, `unavailable` */
    async files(
      project: string,
      prefix: string,
      { signal, caller }: { signal: AbortSignal; caller: Caller },
    ): Promise<{ fingerprint: string; files: ImageFile[] }> {
      const image = findImage(services, project, prefix).value;
      const { fingerprint, members } = image;
      if (isManifest(image)) throw notFiles(fingerprint);
      const online = services.agents.online();
      const member = members.includes(services.server)
        ? services.server
        : members.find((name) => online.includes(name));
      if (member === undefined)
        throw new LxdError('unavailable', `No member that has image "${fingerprint}" is online`);
      const files = await services.agents.get(member).sendImage(fingerprint, { signal });
      lifecycle('image-retrieved', fingerprint, project, caller);
      return { fingerprint, files };
    },
  };
}

export type ImagesService = ReturnType<typeof imagesService>;
