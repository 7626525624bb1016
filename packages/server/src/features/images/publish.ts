import { LxdError } from '@lxd-ts/core';
import type { OperationView } from '@lxd-ts/operations';
import type { ImageRecord, InstanceRecord } from '@lxd-ts/state';
import type { Caller } from '../../http/route.ts';
import type { Services } from '../../services.ts';
import { checkAlgorithm } from '../backups/requested.ts';
import { findInstance, isUp, memberOf, statusOf } from '../instances/context.ts';
import { instanceSpec } from '../instances/spec.ts';
import { nameImage } from './aliases.ts';
import type { ImagesPost } from './import-remote.ts';

const instanceTypes = ['instance', 'container', 'virtual-machine'];

/** Whether an image is asked for of something that this server has. */
export const isPublish = ({ source }: ImagesPost): boolean =>
  [...instanceTypes, 'snapshot'].includes(source?.type ?? '');

const toSeconds = (time: string | undefined): number =>
  time ? Math.max(0, Math.floor(Date.parse(time) / 1000)) : 0;

/** @throws LxdError `invalid` */
function reproducibleOf(body: ImagesPost): { epoch: number | undefined; exclude: readonly string[] } {
  const { source_date_epoch: epoch, exclude = [] }: { source_date_epoch?: unknown; exclude?: unknown } = body;
  if (epoch !== undefined && !(Number.isSafeInteger(epoch) && (epoch as number) >= 0))
    throw new LxdError('invalid', 'source_date_epoch must be a number of seconds since 1970');
  const isPattern = (one: unknown) => typeof one === 'string' && /^\/[^\0\n]+$/.test(one);
  if (!Array.isArray(exclude) || !exclude.every(isPattern))
    throw new LxdError('invalid', 'exclude must be a list of absolute paths');
  if (epoch === undefined && exclude.length > 0)
    throw new LxdError('invalid', 'exclude is only possible with source_date_epoch');
  return { epoch: epoch as number | undefined, exclude: exclude as string[] };
}

interface Origin {
  instance: InstanceRecord;
  /** What it was then. */
  snapshot?: string;
}

/** @throws LxdError `not-found`, `invalid` as LXD */
function originOf(services: Services, project: string, source: NonNullable<ImagesPost['source']>): Origin {
  const [name = '', snapshot] = (source.name ?? '').split('/', 2);
  const missing = () => new LxdError('not-found', 'Instance not found');
  const instance = services.records.get('instances', project, name)?.value;
  if (!instance) throw missing();
  if (snapshot === undefined) return { instance };
  if (!services.records.get('snapshots', project, name, snapshot)) throw missing();
  return { instance, snapshot };
}

/** Makes an image of an instance at rest, or of a snapshot. @throws LxdError `not-found`, `invalid` */
export function publish(
  services: Services,
  { project, body, caller }: { project: string; body: ImagesPost; caller: Caller },
): Promise<OperationView> {
  const { records, agents, clock, events } = services;
  const source = body.source ?? {};
  const fallback = records.get('serverConfig')?.value.config['images.compression_algorithm'];
  const { epoch, exclude } = reproducibleOf(body);
  const compression = body.compression_algorithm || fallback || 'gzip';
  checkAlgorithm(compression);
  const origin = source.name ? originOf(services, project, source) : undefined;
  return services.operations.start({
    class: 'task',
    description: 'Downloading image',
    project,
    resources: {},
    mayCancel: epoch !== undefined || body.cached === true,
    run: async (running) => {
      if (!origin) throw new LxdError('invalid', 'No source provided');
      const { instance, snapshot } = origin;
      const { name } = instance;
      if (source.type === 'snapshot' && snapshot === undefined)
        throw new LxdError('invalid', 'Not a snapshot');
      if (snapshot === undefined && isUp(statusOf(services, project, name)))
        throw new LxdError('invalid', 'Cannot export a running instance as an image');
      const member = memberOf(services, project, name);
      const spec = instanceSpec(services, findInstance(services, project, name).value, member);
      const now = clock.now();
      const properties =
        body.properties && Object.keys(body.properties).length > 0 ? body.properties : undefined;
      const request = {
        id: services.uuid(),
        compression,
        architecture: instance.architecture,
        createdAt: epoch ?? Math.floor(now.getTime() / 1000),
        expiresAt: toSeconds(body.expires_at),
        ...(properties ? { properties } : {}),
        ...(snapshot === undefined ? {} : { snapshot }),
        ...(epoch === undefined ? {} : { reproducible: { epoch, exclude } }),
      };
      const image = await agents.get(member).publishImage(spec, request, {
        signal: running.signal,
        onProgress: (progress) => running.update(progress),
      });
      const { fingerprint, size } = image;
      running.update({ fingerprint, size: String(size) });
      const exists = () => new LxdError('conflict', `The image already exists: ${fingerprint}`);
      if (records.get('images', project, fingerprint)) throw exists();
      const record: ImageRecord = {
        project,
        fingerprint,
        filename: body.filename ?? '',
        size,
        architecture: image.architecture,
        type: 'container',
        public: body.public ?? false,
        autoUpdate: body.auto_update ?? false,
        cached: body.cached === true,
        properties: image.properties,
        profiles: body.profiles && body.profiles.length > 0 ? body.profiles : ['default'],
        createdAt: new Date(request.createdAt * 1000).toISOString(),
        expiresAt: request.expiresAt > 0 ? new Date(request.expiresAt * 1000).toISOString() : '',
        lastUsedAt: '',
        uploadedAt: now.toISOString(),
        members: [member],
        files: image.files,
        ...(image.oci ? { oci: image.oci } : {}),
      };
      await records
        .transaction()
        .create('images', [project, fingerprint], record)
        .commit({ signal: running.signal })
        .catch((error: unknown) => {
          throw records.get('images', project, fingerprint) ? exists() : error;
        });
      const requestor = { username: caller.username, protocol: caller.protocol };
      events.lifecycle({
        action: 'image-created',
        source: `/1.0/images/${fingerprint}`,
        project,
        context: { type: record.type },
        requestor,
      });
      await nameImage(services, project, fingerprint, body.aliases ?? [], { signal: running.signal, caller });
      return { fingerprint, size: String(size) };
    },
  });
}
