import { LxdError } from '@lxd-ts/core';
import type { Versioned, VolumeRecord } from '@lxd-ts/state';
import { started, sync, type RequestContext, type Route } from '../../http/route.ts';
import { fileReply } from '../backups/file-reply.ts';
import { findVolume, type VolumeAsked, type VolumesContext } from '../volumes/context.ts';
import {
  backupUrl,
  startVolumeBackup,
  startVolumeBackupDelete,
  startVolumeBackupRename,
  toldOfBackup,
  type VolumeBackupsPost,
} from './backups.ts';
import { backupsOfVolume, findVolumeBackup, volumeBackupView } from './records.ts';

const backupName = ({ params }: RequestContext): string => params['backup'] ?? '';

/** Every route below a volume's `backups`. */
export function volumeBackupRoutes(
  { services }: VolumesContext,
  askedOf: (request: RequestContext) => VolumeAsked,
): Route[] {
  const volumeOf = (request: RequestContext): Versioned<VolumeRecord> => {
    const type = request.params['type'] ?? '';
    if (type !== 'custom') throw new LxdError('invalid', `Invalid storage volume type "${type}"`);
    return findVolume(services, askedOf(request));
  };
  const list: Route = {
    operationId: 'storagePoolVolumeBackupsGet',
    handle: async (request) => {
      const { value: volume } = volumeOf(request);
      const found = backupsOfVolume(services, volume);
      if (request.query.get('recursion') === '1') return Promise.resolve(sync(found.map(volumeBackupView)));
      return sync(found.map(({ name }) => backupUrl(volume, name)));
    },
  };
  const post: Route<VolumeBackupsPost> = {
    operationId: 'storagePoolVolumeBackupsPost',
    handle: async (request) =>
      started(await startVolumeBackup(services, volumeOf(request), request.body, request.caller)),
  };
  const get: Route = {
    operationId: 'storagePoolVolumeBackupGet',
    handle: async (request) =>
      Promise.resolve(
        sync(
          volumeBackupView(findVolumeBackup(services, volumeOf(request).value, backupName(request)).value),
        ),
      ),
  };
  const rename: Route<{ name?: string }> = {
    operationId: 'storagePoolVolumeBackupPost',
    async handle(request) {
      const names: [string, string] = [backupName(request), request.body.name ?? ''];
      return started(await startVolumeBackupRename(services, volumeOf(request).value, names, request.caller));
    },
  };
  const remove: Route = {
    operationId: 'storagePoolVolumeBackupDelete',
    async handle(request) {
      const { value } = volumeOf(request);
      return started(await startVolumeBackupDelete(services, value, backupName(request), request.caller));
    },
  };
  const exportFile: Route = {
    operationId: 'storagePoolVolumeBackupExportGet',
    async handle(request) {
      const { value: volume } = volumeOf(request);
      const { id, member, name } = findVolumeBackup(services, volume, backupName(request)).value;
      const file = await services.agents.get(member).readBackup(id, { signal: request.signal });
      toldOfBackup(services, 'retrieved', volume, name, request.caller);
      return fileReply(file);
    },
  };
  return [list, post, get, rename, remove, exportFile];
}
