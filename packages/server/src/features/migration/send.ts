import { LxdError } from '@lxd-ts/core';
import type { OperationView } from '@lxd-ts/operations';
import { findInstance, isUp, memberOf, statusOf, type InstancesContext } from '../instances/context.ts';
import type { InstancePost } from '../instances/requests.ts';
import { instanceSpec } from '../instances/spec.ts';
import { sourceEnd } from './ends.ts';
import { describeForPeers } from './index-header.ts';
import { snapshotsToSend } from './snapshots.ts';

/**
 * The source of a migration: `POST /1.0/instances/NAME` with `migration`, or the same of a snapshot. With a `target` it goes there, else it waits for
 * the other server with the secrets of its operation.
 * @throws LxdError `not-found`, `invalid`, `unsupported`
 */
export function startSending(
  context: InstancesContext,
  project: string,
  name: string,
  body: Pick<InstancePost, 'live' | 'target' | 'instance_only' | 'container_only'>,
  snapshot?: string,
): Promise<OperationView> {
  const { services } = context;
  findInstance(services, project, name);
  const up = () => snapshot === undefined && isUp(statusOf(services, project, name));
  if (body.live && up())
    throw new LxdError(
      'unsupported',
      'A running instance cannot be moved with its memory: copy it with --stateless, or stop it first',
    );
  const end = sourceEnd(services, body.target);
  const alone = snapshot !== undefined || (body.instance_only ?? false) || (body.container_only ?? false);
  const what = snapshot === undefined ? {} : { snapshot };
  return services.operations.start({
    ...end.operation,
    description: snapshot === undefined ? 'Migrating instance' : 'Transferring snapshot',
    project,
    resources: { instances: [name], containers: [name] },
    run: async ({ signal, update }) => {
      try {
        await using connection = await end.open(signal);
        const { value } = findInstance(services, project, name);
        const member = memberOf(services, project, name);
        const snapshots = alone ? [] : snapshotsToSend(services, project, name);
        await services.agents
          .get(member)
          .sendInstance(
            instanceSpec(services, value, member),
            { ...what, snapshots, running: up(), index: describeForPeers(services, value, snapshots) },
            connection.streams,
            { signal, onProgress: (progress) => update(progress) },
          );
      } finally {
        end.close();
      }
    },
  });
}
