import { started, sync, type RequestContext, type Route } from '../../http/route.ts';
import type { Services } from '../../services.ts';
import { findInstance } from '../instances/context.ts';
import {
  startBackup,
  startBackupDelete,
  startBackupRename,
  type BackupRef,
  type BackupsPost,
} from './backups.ts';
import { fileReply } from './file-reply.ts';
import { backupsOf, backupView, findBackup } from './records.ts';

const refOf = ({ project, params }: RequestContext): BackupRef => ({
  project,
  instance: params['name'] ?? '',
  name: params['backup'] ?? '',
});

/** Every route below `/1.0/instances/{name}/backups`. */
export function backupRoutes(services: Services): Route[] {
  const find = (request: RequestContext) => {
    const { project, instance, name } = refOf(request);
    findInstance(services, project, instance);
    return findBackup(services, project, instance, name).value;
  };
  const list: Route = {
    operationId: 'instanceBackupsGet',
    handle: async (request) => {
      const { project, instance } = refOf(request);
      findInstance(services, project, instance);
      const found = backupsOf(services, project, instance);
      if (request.query.get('recursion') === '1') return Promise.resolve(sync(found.map(backupView)));
      const suffix = project === 'default' ? '' : `?project=${encodeURIComponent(project)}`;
      return sync(found.map(({ name }) => `/1.0/instances/${instance}/backups/${name}${suffix}`));
    },
  };
  const post: Route<BackupsPost> = {
    operationId: 'instanceBackupsPost',
    async handle(request) {
      const { project, instance } = refOf(request);
      return started(await startBackup(services, project, instance, request.body));
    },
  };
  const get: Route = {
    operationId: 'instanceBackupGet',
    handle: async (request) => Promise.resolve(sync(backupView(find(request)))),
  };
  const rename: Route<{ name?: string }> = {
    operationId: 'instanceBackupPost',
    handle: async (request) =>
      started(await startBackupRename(services, refOf(request), request.body.name ?? '')),
  };
  const remove: Route = {
    operationId: 'instanceBackupDelete',
    handle: async (request) => started(await startBackupDelete(services, refOf(request))),
  };
  const exportFile: Route = {
    operationId: 'instanceBackupExportGet',
    async handle(request) {
      const { id, member, project, instance, name } = find(request);
      const file = await services.agents.get(member).readBackup(id, { signal: request.signal });
      services.events.lifecycle({
        action: 'instance-backup-retrieved',
        source: `/1.0/instances/${instance}/backups/${name}`,
        project,
      });
      return fileReply(file);
    },
  };
  return [list, post, get, rename, remove, exportFile];
}
