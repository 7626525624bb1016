import { started, sync, type RequestContext, type Route } from '../../http/route.ts';
import { startSending } from '../migration/send.ts';
import { findInstance, type InstancesContext } from './context.ts';
import type { InstanceSnapshotPost, InstanceSnapshotPut, InstanceSnapshotsPost } from './requests.ts';
import { findSnapshot, snapshotsOf } from './snapshot-records.ts';
import { snapshotTag, snapshotView } from './snapshot-view.ts';
import {
  startSnapshot,
  startSnapshotDelete,
  startSnapshotRename,
  startSnapshotUpdate,
  type SnapshotRef,
} from './snapshots.ts';

const refOf = ({ project, params }: RequestContext): SnapshotRef => ({
  project,
  name: params['name'] ?? '',
  snapshot: params['snapshot'] ?? '',
});

/** Every route below `/1.0/instances/{name}/snapshots`. */
export function snapshotRoutes(context: InstancesContext): Route[] {
  const { services } = context;

  const find = (ref: SnapshotRef) => {
    findInstance(services, ref.project, ref.name);
    return findSnapshot(services, ref.project, ref.name, ref.snapshot).value;
  };

  const list: Route = {
    operationId: 'instanceSnapshotsGet',
    async handle(request) {
      const { project, name } = refOf(request);
      findInstance(services, project, name);
      const found = snapshotsOf(services, project, name);
      if (request.query.get('recursion') === '1')
        return sync(found.map((snapshot) => snapshotView(services, snapshot)));
      const suffix = project === 'default' ? '' : `?project=${encodeURIComponent(project)}`;
      return sync(found.map((one) => `/1.0/instances/${name}/snapshots/${one.name}${suffix}`));
    },
  };

  const create: Route<InstanceSnapshotsPost> = {
    operationId: 'instanceSnapshotsPost',
    async handle(request) {
      const { project, name } = refOf(request);
      return started(await startSnapshot(context, project, name, request.body));
    },
  };

  const get: Route = {
    operationId: 'instanceSnapshotGet',
    async handle(request) {
      const snapshot = find(refOf(request));
      return sync(snapshotView(services, snapshot), snapshotTag(snapshot));
    },
  };

  const change = (operationId: string, kind: 'replace' | 'merge'): Route<InstanceSnapshotPut> => ({
    operationId,
    async handle(request) {
      request.checkETag(snapshotTag(find(refOf(request))));
      return started(await startSnapshotUpdate(context, refOf(request), request.body, kind));
    },
  });

  const rename: Route<InstanceSnapshotPost> = {
    operationId: 'instanceSnapshotPost',
    async handle(request) {
      const { project, name, snapshot } = refOf(request);
      find({ project, name, snapshot });
      if (request.body.migration)
        return started(await startSending(context, project, name, request.body, snapshot));
      return started(await startSnapshotRename(context, refOf(request), request.body));
    },
  };

  const remove: Route = {
    operationId: 'instanceSnapshotDelete',
    handle: async (request) => started(await startSnapshotDelete(context, refOf(request))),
  };

  return [
    list,
    create,
    get,
    change('instanceSnapshotPut', 'replace'),
    change('instanceSnapshotPatch', 'merge'),
    rename,
    remove,
  ];
}
