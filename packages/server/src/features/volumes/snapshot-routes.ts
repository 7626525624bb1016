import { LxdError } from '@lxd-ts/core';
import type { Versioned, VolumeRecord } from '@lxd-ts/state';
import { empty, started, sync, type RequestContext, type Route } from '../../http/route.ts';
import { snapshotsOf as snapshotsOfInstance } from '../instances/snapshot-records.ts';
import { containerUrl, findRoot } from './roots.ts';
import { findImageVolume } from './image-volumes.ts';
import { findVolume, volumeUrl, type VolumeAsked, type VolumesContext } from './context.ts';
import {
  findSnapshot,
  snapshotsOf,
  startSnapshot,
  startSnapshotDelete,
  startSnapshotRename,
  timeOf,
  updateSnapshot,
} from './snapshots.ts';
import { snapshotView } from './view.ts';

interface VolumeSnapshotPut {
  description?: string;
  expires_at?: string | null;
}

const snapshotName = ({ params }: RequestContext): string => params['snapshot'] ?? '';

/** Routes below a volume's `snapshots`. */
export function snapshotRoutes(
  context: VolumesContext,
  askedOf: (request: RequestContext) => VolumeAsked,
): Route[] {
  const { services } = context;

  const volumeOf = (request: RequestContext): Versioned<VolumeRecord> => {
    const type = request.params['type'] ?? '';
    if (type !== 'custom') throw new LxdError('invalid', `Invalid storage volume type "${type}"`);
    return findVolume(services, askedOf(request));
  };

  /** Of an instance's root; they are looked at here, and changed with their instance. */
  const ofRoot = (request: RequestContext) => {
    const { pool, project, name } = askedOf(request);
    const record = findRoot(services, { pool, project, name });
    return snapshotsOfInstance(services, project, name).map((one) => ({
      name: one.name,
      url: containerUrl(pool, record, one.name),
      view: (listed: boolean) => ({
        description: '',
        // As LXD, which tells it of one only.
        expires_at: listed ? null : one.expiresAt || '0001-01-01T00:00:00Z',
        name: listed ? `${name}/${one.name}` : one.name,
        config: {},
        content_type: listed ? '' : 'filesystem',
        created_at: one.createdAt,
      }),
    }));
  };

  const list: Route = {
    operationId: 'storagePoolVolumeSnapshotsGet',
    handle: (request) => {
      if (request.params['type'] === 'container') {
        const found = ofRoot(request);
        const listed = request.query.get('recursion') === '1';
        return Promise.resolve(sync(found.map(({ url, view }) => (listed ? view(true) : url))));
      }
      if (request.params['type'] === 'image') {
        findImageVolume(services, askedOf(request));
        return Promise.resolve(sync([]));
      }
      const { value: volume } = volumeOf(request);
      const all = snapshotsOf(services, volume)
        .map(({ value }) => value)
        .sort((a, b) => (a.createdAt < b.createdAt ? -1 : 1));
      const full = request.query.get('recursion') === '1';
      return Promise.resolve(
        sync(all.map((one) => (full ? snapshotView(volume, one, true) : volumeUrl(volume, one.name)))),
      );
    },
  };

  const post: Route<VolumeSnapshotPut & { name?: string }> = {
    operationId: 'storagePoolVolumeSnapshotsPost',
    async handle(request) {
      return started(await startSnapshot(context, volumeOf(request), request.body, request.caller));
    },
  };

  const get: Route = {
    operationId: 'storagePoolVolumeSnapshotGet',
    handle: (request) => {
      if (request.params['type'] === 'container') {
        const found = ofRoot(request).find(({ name }) => name === snapshotName(request));
        if (!found) throw new LxdError('not-found', 'Storage pool volume not found');
        const view = found.view(false);
        return Promise.resolve(sync(view, [view.name, view.description, view.expires_at, view.config]));
      }
      const { value: volume } = volumeOf(request);
      const { value } = findSnapshot(services, volume, snapshotName(request));
      const view = snapshotView(volume, value, false);
      return Promise.resolve(sync(view, [value.name, value.description, value.expiresAt, value.config]));
    },
  };

  const change = (operationId: string, whole: boolean): Route<VolumeSnapshotPut> => ({
    operationId,
    async handle(request) {
      const { value: volume } = volumeOf(request);
      const found = findSnapshot(services, volume, snapshotName(request));
      const { name, description, expiresAt, config } = found.value;
      request.checkETag([name, description, expiresAt, config]);
      const { body } = request;
      const next = {
        description: body.description ?? (whole ? '' : description),
        expiresAt: body.expires_at === undefined && !whole ? expiresAt : timeOf(body.expires_at),
      };
      await updateSnapshot(services, volume, found, next, request.caller);
      return empty;
    },
  });

  const rename: Route<{ name?: string }> = {
    operationId: 'storagePoolVolumeSnapshotPost',
    async handle(request) {
      const names: [string, string] = [snapshotName(request), request.body.name ?? ''];
      return started(await startSnapshotRename(context, volumeOf(request), names, request.caller));
    },
  };

  const remove: Route = {
    operationId: 'storagePoolVolumeSnapshotDelete',
    async handle(request) {
      const volume = volumeOf(request);
      return started(await startSnapshotDelete(context, volume, snapshotName(request), request.caller));
    },
  };

  return [
    list,
    post,
    get,
    change('storagePoolVolumeSnapshotPut', true),
    change('storagePoolVolumeSnapshotPatch', false),
    rename,
    remove,
  ];
}
