import { LxdError } from '@lxd-ts/core';
import type { OperationView } from '@lxd-ts/operations';
import type { Caller } from '../../http/route.ts';
import type { Services } from '../../services.ts';
import { nameImage } from './aliases.ts';
import { checkUrl } from './direct.ts';
import { checkOciImage } from './oci.ts';
import type { ImagePuller } from './pull.ts';
import { checkRemoteImage, type RemoteImage } from './remote.ts';
import { createImageToken } from './tokens.ts';

/** A request for an image from elsewhere, as LXD's clients send it. */
export interface ImagesPost {
  source?: {
    type?: string;
    mode?: string;
    protocol?: string;
    server?: string;
    certificate?: string;
    secret?: string;
    url?: string;
    fingerprint?: string;
    alias?: string;
    project?: string;
    /** Of an instance, or `INSTANCE/SNAPSHOT`. */
    name?: string;
  } | null;
  aliases?: { name: string; description?: string }[] | null;
  public?: boolean;
  auto_update?: boolean;
  profiles?: string[] | null;
  properties?: Record<string, string> | null;
  compression_algorithm?: string;
  expires_at?: string;
  filename?: string;
  cached?: boolean;
  source_date_epoch?: number;
  exclude?: string[];
}

/** @throws LxdError `invalid`, `internal` (as LXD) */
export function remoteImageOf(source: NonNullable<ImagesPost['source']>): RemoteImage {
  const { mode = '', protocol = '', server = '' } = source;
  if (mode && mode !== 'pull') throw new LxdError('invalid', `Image source mode "${mode}" is not supported`);
  const known = (['lxd', 'simplestreams', 'oci'] as const).find((one) => one === (protocol || 'lxd'));
  if (!known) throw new LxdError('invalid', `Unsupported protocol: ${protocol}`);
  const remote: RemoteImage = { ...source, server, protocol: known };
  if (known === 'oci') checkOciImage(remote);
  else checkRemoteImage(remote);
  return remote;
}

/** @throws LxdError `invalid` */
function directImageOf({ url = '' }: NonNullable<ImagesPost['source']>): RemoteImage {
  checkUrl(url);
  return { protocol: 'direct', server: '', url };
}

/** Another server will send it. @throws LxdError `invalid` */
export function expectImage(
  services: Services,
  { project, body }: { project: string; body: ImagesPost },
): Promise<OperationView> {
  const fingerprint = body.source?.fingerprint ?? '';
  if (!/^[0-9a-f]{64}$/.test(fingerprint))
    throw new LxdError('invalid', '"source.fingerprint" must be the whole fingerprint of the image to come');
  const image = {
    public: body.public ?? false,
    autoUpdate: body.auto_update ?? false,
    properties: body.properties ?? {},
    aliases: (body.aliases ?? []).map(({ name, description = '' }) => ({ name, description })),
  };
  return createImageToken(services, { kind: 'upload', project, fingerprint, image });
}

/** Starts to fetch an image of another server. @throws LxdError */
export function importRemote(
  services: Services,
  puller: ImagePuller,
  { project, body, caller }: { project: string; body: ImagesPost; caller: Caller },
): Promise<OperationView> {
  const { source } = body;
  if (source?.type !== 'image' && source?.type !== 'url')
    throw new LxdError('internal', 'Invalid images JSON');
  const { records, operations, events } = services;
  return operations.start({
    class: 'task',
    description: 'Downloading image',
    project,
    resources: {},
    mayCancel: true,
    run: async (running) => {
      const remote = source.type === 'url' ? directImageOf(source) : remoteImageOf(source);
      const options = {
        project,
        public: body.public ?? false,
        autoUpdate: body.auto_update ?? false,
        cached: false,
        profiles: body.profiles ?? [],
      };
      const { image } = await puller.pull(remote, options, running);
      const { fingerprint } = image;
      const { signal } = running;
      const { properties = {}, filename } = body;
      // One that is there is taken as it is, unless it was only kept because something had needed it, or more is said of it.
      if (
        image.cached ||
        options.public ||
        options.autoUpdate ||
        filename ||
        Object.keys(properties ?? {}).length > 0
      )
        await records.modify(
          'images',
          [project, fingerprint],
          (value) => ({
            ...value,
            cached: false,
            public: options.public,
            autoUpdate: options.autoUpdate,
            filename: filename || value.filename,
            properties: { ...value.properties, ...properties },
          }),
          { signal },
        );
      await nameImage(services, project, fingerprint, body.aliases ?? [], { signal, caller });
      events.lifecycle({
        action: 'image-created',
        source: `/1.0/images/${fingerprint}`,
        project,
        context: { type: image.type },
        requestor: { username: caller.username, protocol: caller.protocol },
      });
      return { fingerprint, size: String(image.size) };
    },
  });
}
