import { LxdError } from '@lxd-ts/core';
import type { Readable } from 'node:stream';
import { empty, started, sync, type Reply, type RequestContext, type Route } from '../../http/route.ts';
import { startSending } from '../migration/send.ts';
import { importInstance } from '../backups/import.ts';
import { backupRoutes } from '../backups/routes.ts';
import { parseFilter } from '../shared/filter.ts';
import { clearConsole, consoleLog, startConsole } from './console.ts';
import { findInstance, memberOf } from './context.ts';
import { createInstance } from './create.ts';
import { startDelete } from './delete.ts';
import { startExec } from './exec.ts';
import { listInstances, listRefs, withStates } from './list.ts';
import { deleteLog, listLogs, readLog } from './logs.ts';
import { startRebuild } from './rebuild.ts';
import { isMove, startMove } from './move.ts';
import { startRename } from './rename.ts';
import type {
  InstanceConsolePost,
  InstanceRebuildPost,
  InstanceExecPost,
  InstancePost,
  InstancePut,
  InstanceStatePut,
  InstancesPost,
  InstancesPut,
} from './requests.ts';
import type { InstancesService } from './service.ts';
import { snapshotRoutes } from './snapshot-routes.ts';
import { instanceSpec } from './spec.ts';
import { startBulkStateChange, startStateChange } from './state-change.ts';
import { patch, startUpdate } from './update.ts';
import { instanceTag, instanceView, stateView } from './view.ts';

const nameOf = (request: RequestContext): string => request.params['name'] ?? '';

const file = (body: Readable, filename: string): Reply => ({
  kind: 'stream',
  body,
  headers: {
    'Content-Type': 'application/octet-stream',
    'Content-Disposition': `inline;filename=${filename}`,
  },
});

/** Every route below `/1.0/instances` that there is. */
export function instancesRoutes({ context }: InstancesService): Route[] {
  const { services } = context;

  /** The record's revision, when the caller named the version it means; 412 when that is not the one. */
  const named = (request: RequestContext, name: string): number | undefined => {
    const { value, revision } = findInstance(services, request.project, name);
    request.checkETag(instanceTag(value));
    return request.headers['if-match'] === undefined ? undefined : revision;
  };

  const list: Route = {
    operationId: 'instancesGet',
    async handle(request) {
      const { query, project, instancesPath, signal } = request;
      const allProjects = query.get('all-projects') === 'true';
      if (allProjects && query.has('project'))
        throw new LxdError('invalid', 'Cannot specify a project when requesting all projects');
      const filter = query.get('filter');
      const wanted = {
        project,
        allProjects,
        type: query.get('instance-type'),
        ...(filter === null ? {} : { keep: parseFilter(filter) }),
      };
      const recursion = query.get('recursion');
      if (recursion === '2') return sync(await withStates(services, listInstances(services, wanted), signal));
      if (recursion === '1') return sync(listInstances(services, wanted));
      const suffix = (of: string) => (of === 'default' ? '' : `?project=${encodeURIComponent(of)}`);
      const refs = listRefs(services, wanted);
      return sync(refs.map(({ name, project: of }) => `/${instancesPath}/${name}${suffix(of)}`));
    },
  };

  const create: Route<InstancesPost> = {
    operationId: 'instancesPost',
    async handle({ project, body, query, caller, headers, stream, signal }) {
      const target = query.get('target');
      if (headers['content-type'] === 'application/octet-stream') {
        const given = target === null ? {} : { target };
        return started(
          await importInstance(context, { project, headers, body: stream, caller, ...given }, signal),
        );
      }
      return started(
        await createInstance(context, { project, body, caller, ...(target === null ? {} : { target }) }),
      );
    },
  };

  const bulk: Route<InstancesPut> = {
    operationId: 'instancesPut',
    handle: async ({ project, body, caller }) =>
      started(await startBulkStateChange(context, project, body.state ?? {}, caller)),
  };

  const get: Route = {
    operationId: 'instanceGet',
    async handle(request) {
      const { project, query, signal } = request;
      const { value } = findInstance(services, project, nameOf(request));
      const view = instanceView(services, value);
      if (query.get('recursion') !== '1') return sync(view, instanceTag(value));
      const [full] = await withStates(services, [view], signal);
      return sync(full, instanceTag(value));
    },
  };

  const put: Route<InstancePut> = {
    operationId: 'instancePut',
    async handle(request) {
      const name = nameOf(request);
      const revision = named(request, name);
      return started(
        await startUpdate(context, { project: request.project, name, body: request.body, revision }),
      );
    },
  };

  const patchOne: Route<InstancePut> = {
    operationId: 'instancePatch',
    async handle(request) {
      const name = nameOf(request);
      const revision = named(request, name);
      const { project, body } = request;
      // Once begun it is finished, whether or not the caller stays.
      await patch(context, { project, name, body, revision }, new AbortController().signal);
      return empty;
    },
  };

  const rename: Route<InstancePost> = {
    operationId: 'instancePost',
    async handle(request) {
      const { project, body } = request;
      const target = request.query.get('target') || undefined;
      if (isMove({ body, target }))
        return started(await startMove(context, { project, name: nameOf(request), body, target }));
      if (body.migration) return started(await startSending(context, project, nameOf(request), body));
      if (body.project)
        throw new LxdError('unsupported', 'Moving an instance to another project is not supported yet');
      return started(await startRename(context, project, nameOf(request), body.name));
    },
  };

  const remove: Route = {
    operationId: 'instanceDelete',
    handle: async (request) => started(await startDelete(context, request.project, nameOf(request))),
  };

  const stateGet: Route = {
    operationId: 'instanceStateGet',
    async handle(request) {
      const { project, signal } = request;
      const { value } = findInstance(services, project, nameOf(request));
      const member = memberOf(services, project, value.name);
      const spec = instanceSpec(services, value, member);
      const [report] = await services.agents.get(member).instanceStates([spec], { signal });
      return sync(stateView(report), stateView(report));
    },
  };

  const statePut: Route<InstanceStatePut> = {
    operationId: 'instanceStatePut',
    handle: async (request) =>
      started(
        await startStateChange(context, request.project, nameOf(request), request.body, request.caller),
      ),
  };

  const exec: Route<InstanceExecPost> = {
    operationId: 'instanceExecPost',
    handle: async (request) =>
      started(await startExec(context, request.project, nameOf(request), request.body)),
  };

  const rebuild: Route<InstanceRebuildPost> = {
    operationId: 'instanceRebuildPost',
    handle: async (request) =>
      started(await startRebuild(context, request.project, nameOf(request), request.body)),
  };

  const consolePost: Route<InstanceConsolePost> = {
    operationId: 'instanceConsolePost',
    handle: async (request) =>
      started(await startConsole(context, request.project, nameOf(request), request.body)),
  };

  const consoleGet: Route = {
    operationId: 'instanceConsoleGet',
    handle: async (request) =>
      file(await consoleLog(context, request.project, nameOf(request), request.signal), 'console.log'),
  };

  const consoleDelete: Route = {
    operationId: 'instanceConsoleDelete',
    async handle(request) {
      await clearConsole(context, request.project, nameOf(request), request.signal);
      return empty;
    },
  };

  const logsGet: Route = {
    operationId: 'instanceLogsGet',
    handle: async (request) =>
      sync(await listLogs(context, request.project, nameOf(request), request.signal)),
  };

  const logGet: Route = {
    operationId: 'instanceLogGet',
    async handle(request) {
      const filename = request.params['file'] ?? '';
      return file(
        await readLog(context, request.project, nameOf(request), filename, request.signal),
        filename,
      );
    },
  };

  const logDelete: Route = {
    operationId: 'instanceLogDelete',
    async handle(request) {
      const filename = request.params['file'] ?? '';
      await deleteLog(context, request.project, nameOf(request), filename, request.signal);
      return empty;
    },
  };

  return [
    list,
    create,
    bulk,
    get,
    put,
    patchOne,
    rename,
    remove,
    stateGet,
    statePut,
    exec,
    rebuild,
    consolePost,
    consoleGet,
    consoleDelete,
    logsGet,
    logGet,
    logDelete,
    ...snapshotRoutes(context),
    ...backupRoutes(services),
  ];
}
