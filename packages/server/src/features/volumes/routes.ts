import { LxdError, type Config } from '@lxd-ts/core';
import type { ImageVolumeRecord, Versioned, VolumeRecord } from '@lxd-ts/state';
import { created, empty, started, sync, type RequestContext, type Route } from '../../http/route.ts';
import { parseFilter } from '../shared/filter.ts';
import { isClustered, targetOf } from '../shared/members.ts';
import { parseContentType } from './config.ts';
import { findPool, findVolume, volumeUrl, type VolumeAsked, type VolumesContext } from './context.ts';
import { startCopy, startMove, type VolumeSource } from './copy.ts';
import { importVolume } from '../volume-backups/import.ts';
import { volumeBackupRoutes } from '../volume-backups/routes.ts';
import { getVolume, listVolumes, types } from './list.ts';
import { startReceiving, startSending, type MigrationSource, type MigrationTarget } from './migrate.ts';
import { createVolume, deleteVolume, renameVolume, rootState, updateVolume, volumeState } from './service.ts';
import { snapshotRoutes } from './snapshot-routes.ts';
import { restoreVolume } from './snapshots.ts';
import { deleteImageVolume, describeImageVolume, findImageVolume, imageVolumeView } from './image-volumes.ts';

interface StorageVolumesPost {
  name?: string;
  type?: string;
  content_type?: string;
  description?: string;
  config?: Config | null;
  source?: VolumeSource & MigrationSource;
}

interface StorageVolumePut {
  config?: Config | null;
  description?: string;
  restore?: string;
}

interface StorageVolumePost {
  name?: string;
  pool?: string;
  /** To another server. */
  migration?: boolean;
  volume_only?: boolean;
  target?: MigrationTarget | null;
}

const invalid = (message: string): LxdError => new LxdError('invalid', message);
export const param = (request: Pick<RequestContext, 'params'>, name: string): string =>
  request.params[name] ?? '';

/** Only custom volumes are changed by themselves; the others are their instances' and images'. */
export function mustBeCustom(
  request: Pick<RequestContext, 'params'>,
  refusal: (type: string) => string,
): void {
  const type = param(request, 'type');
  if (!types.includes(type)) throw invalid('Invalid storage volume type name');
  if (type !== 'custom') throw invalid(refusal(type));
}

const notByItself =
  (what: string) =>
  (type: string): string =>
    `Storage volumes of type "${type}" cannot be ${what} with the storage API`;

const tagOf = ({ name, description, config }: VolumeRecord): unknown => [name, 'custom', description, config];
const imageTagOf = ({ fingerprint, description }: ImageVolumeRecord): unknown => [
  fingerprint,
  'image',
  description,
];

/** Every route of volumes. */
export function volumesRoutes(context: VolumesContext): Route[] {
  const { services } = context;

  /** A server that is alone takes any, as LXD: the stock client says `none`. */
  const targeted = ({ query }: RequestContext): string | undefined =>
    isClustered(services) ? targetOf(services, query.get('target')) : undefined;
  const memberOf = ({ caller }: RequestContext): string => caller.via ?? services.server;

  const askedOf = (request: RequestContext): VolumeAsked => ({
    pool: param(request, 'name'),
    project: request.project,
    name: param(request, 'volume'),
    target: targeted(request),
    via: memberOf(request),
  });
  const isImage = (request: RequestContext): boolean => param(request, 'type') === 'image';
  /** Which must be custom, and as the caller knows it. */
  const found = (request: RequestContext, refusal: (type: string) => string): Versioned<VolumeRecord> => {
    mustBeCustom(request, refusal);
    const one = findVolume(services, askedOf(request));
    request.checkETag(tagOf(one.value));
    return one;
  };

  const list = (operationId: string): Route => ({
    operationId,
    handle: (request) => {
      const target = targeted(request);
      const { type } = request.params;
      const full = request.query.get('recursion') === '1';
      const filter = request.query.get('filter');
      const keep = parseFilter(filter);
      const asked = { pool: param(request, 'name'), project: request.project, type, target };
      const all = listVolumes(services, asked).filter((one) => !filter || keep(one.view()));
      return Promise.resolve(sync(all.map((one) => (full ? one.view() : one.url))));
    },
  });

  const post = (operationId: string): Route<StorageVolumesPost> => ({
    operationId,
    async handle(request) {
      const { body, caller, headers, stream, signal } = request;
      const isBackup = headers['content-type'] === 'application/octet-stream';
      if (isBackup && request.params['type'] === 'custom') {
        const member = targeted(request) ?? memberOf(request);
        const to = { pool: param(request, 'name'), project: request.project, member };
        return started(await importVolume(context, { ...to, headers, body: stream, caller }, signal));
      }
      const type = request.params['type'] ?? body.type ?? '';
      const name = body.name ?? '';
      if (name === '') throw invalid('No name provided');
      if (name.includes('/')) throw invalid('Storage volume names may not contain slashes');
      if (type === '') throw invalid('You must provide a storage volume type of the storage volume');
      if (type !== 'custom')
        throw invalid(`Currently not allowed to create storage volumes of type "${type}"`);
      const pool = param(request, 'name');
      findPool(services, pool);
      const contentType = parseContentType(body.content_type ?? '');
      const member = targeted(request) ?? memberOf(request);
      const place = { pool, project: request.project, name, member };
      const { description = '', config, source } = body;
      if (source?.type === 'copy') return started(await startCopy(context, place, source, body, caller));
      if (source?.type === 'migration')
        return started(await startReceiving(context, place, source, { ...body, contentType }, caller));
      if (source?.type) throw invalid(`Unknown source type "${source.type}"`);
      await createVolume(context, place, { description, config: config ?? {}, contentType }, caller);
      return empty;
    },
  });

  const get: Route = {
    operationId: 'storagePoolVolumeGet',
    handle: (request) => {
      const asked = askedOf(request);
      if (isImage(request)) {
        const { value } = findImageVolume(services, asked);
        return Promise.resolve(sync(imageVolumeView(services, value), imageTagOf(value)));
      }
      if (param(request, 'type') !== 'custom')
        return Promise.resolve(sync(getVolume(services, asked, param(request, 'type'))));
      const { value } = findVolume(services, asked);
      return Promise.resolve(sync(getVolume(services, asked, 'custom'), tagOf(value)));
    },
  };

  /** Of an unpacked image only the description may be changed. */
  async function changeImage(
    request: RequestContext,
    { config, description }: StorageVolumePut,
  ): Promise<void> {
    const { value } = findImageVolume(services, askedOf(request));
    request.checkETag(imageTagOf(value));
    if (Object.keys(config ?? {}).length > 0) throw new LxdError('internal', 'Volume config is not editable');
    if (description !== undefined) await describeImageVolume(services, value, description, request.caller);
  }

  const put: Route<StorageVolumePut> = {
    operationId: 'storagePoolVolumePut',
    async handle(request) {
      if (isImage(request)) {
        await changeImage(request, { description: '', ...request.body });
        return empty;
      }
      const volume = found(request, notByItself('changed'));
      const { config, description = '', restore } = request.body;
      if (restore) await restoreVolume(context, volume, restore, request.caller);
      else await updateVolume(context, volume, { config: config ?? {}, description }, request.caller);
      return empty;
    },
  };

  const patch: Route<StorageVolumePut> = {
    operationId: 'storagePoolVolumePatch',
    async handle(request) {
      if (isImage(request)) {
        await changeImage(request, request.body);
        return empty;
      }
      const volume = found(request, notByItself('changed'));
      const config = { ...volume.value.config, ...request.body.config };
      const description = request.body.description ?? volume.value.description;
      await updateVolume(context, volume, { config, description }, request.caller);
      return empty;
    },
  };

  const rename: Route<StorageVolumePost> = {
    operationId: 'storagePoolVolumePost',
    async handle(request) {
      const { name = '', pool = '' } = request.body;
      if (name === '') throw invalid('No name provided');
      if (name.includes('/')) throw invalid('Storage volume names may not contain slashes');
      const volume = found(request, (type) => `Renaming storage volumes of type "${type}" is not allowed`);
      const { migration, target, volume_only: alone } = request.body;
      if (migration) return started(await startSending(context, volume, target ?? undefined, alone ?? false));
      if (pool !== '' && pool !== volume.value.pool)
        return started(await startMove(context, volume, { pool, name }, request.caller));
      await renameVolume(context, volume, name, request.caller);
      return created(volumeUrl({ ...volume.value, name }));
    },
  };

  const remove: Route = {
    operationId: 'storagePoolVolumeDelete',
    async handle(request) {
      if (isImage(request)) {
        await deleteImageVolume(services, askedOf(request), request.caller);
        return empty;
      }
      await deleteVolume(context, found(request, notByItself('deleted')), request.caller);
      return empty;
    },
  };

  const state: Route = {
    operationId: 'storagePoolVolumeStateGet',
    async handle(request) {
      if (param(request, 'type') === 'container')
        return sync(await rootState(services, askedOf(request), request.signal));
      mustBeCustom(request, (type) => `Invalid storage volume type "${type}"`);
      return sync(await volumeState(services, askedOf(request), request.signal));
    },
  };

  return [
    list('storagePoolVolumesGet'),
    list('storagePoolVolumesTypeGet'),
    post('storagePoolVolumesPost'),
    post('storagePoolVolumesTypePost'),
    get,
    put,
    patch,
    rename,
    remove,
    state,
    ...snapshotRoutes(context, askedOf),
    ...volumeBackupRoutes(context, askedOf),
  ];
}
