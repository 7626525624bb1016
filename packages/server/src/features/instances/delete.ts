import { isTrue, LxdError } from '@lxd-ts/core';
import type { OperationView } from '@lxd-ts/operations';
import { findInstance, instanceUrl, isUp, memberOf, statusOf, type InstancesContext } from './context.ts';
import { expandIn } from './expand.ts';
import { intend } from './pending.ts';
import { removeInstance } from './remove.ts';
import { snapshotsOf } from './snapshot-records.ts';
import { told } from './snapshots.ts';

/** @throws LxdError `not-found`, `invalid` while it runs */
export function startDelete(
  context: InstancesContext,
  project: string,
  name: string,
): Promise<OperationView> {
  const { services, busy } = context;
  findInstance(services, project, name);
  if (isUp(statusOf(services, project, name))) throw new LxdError('invalid', 'Instance is running');
  return services.operations.start({
    class: 'task',
    description: 'Deleting instance',
    project,
    resources: { instances: [name], containers: [name] },
    run: ({ id, signal }) =>
      busy.queue({ project, name }, 'delete', async () => {
        const { value } = findInstance(services, project, name);
        if (isTrue(expandIn(services, project, value).config['security.protection.delete']))
          throw new LxdError('invalid', 'Container is protected');
        if (isUp(statusOf(services, project, name))) throw new LxdError('invalid', 'Instance is running');
        services.agents.get(memberOf(services, project, name));
        await intend(context, project, name, { kind: 'delete', operation: id }, (record) => record, {
          signal,
        });
        const snapshots = snapshotsOf(services, project, name);
        await removeInstance(services, project, name, signal);
        for (const { name: snapshot } of snapshots.reverse())
          told(context, { project, name, snapshot }, 'deleted');
        services.events.lifecycle({
          action: 'instance-deleted',
          source: instanceUrl(project, name),
          project,
        });
      }),
  });
}
