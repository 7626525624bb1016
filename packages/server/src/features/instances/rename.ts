import { checkInstanceName, LxdError, toLxdError } from '@lxd-ts/core';
import type { OperationView, RunningOperation } from '@lxd-ts/operations';
import type { InstanceRecord } from '@lxd-ts/state';
import { renameWithInstance } from '../backups/records.ts';
import {
  findInstance,
  instanceUrl,
  isUp,
  memberOf,
  statusOf,
  unwindTimeoutMs,
  type InstancesContext,
} from './context.ts';
import { intend, withoutPending } from './pending.ts';
import { instanceSpec } from './spec.ts';

/** The record under its new name. Fails when somebody took the name. */
async function moveRecords(
  { services }: InstancesContext,
  record: InstanceRecord,
  to: string,
  signal: AbortSignal,
): Promise<void> {
  const { project, name } = record;
  const found = findInstance(services, project, name);
  const placement = services.records.get('placements', project, name);
  if (!placement) throw new LxdError('not-found', 'Instance not found');
  const config = {
    // What waits for its next start already comes before.
    'volatile.apply_template': 'rename',
    ...record.config,
    'volatile.cloud-init.instance-id': services.uuid(),
  };
  const transaction = services.records.transaction();
  for (const { value: snapshot, revision } of services.records.list('snapshots', project, name))
    transaction
      .delete('snapshots', [project, name, snapshot.name], revision)
      .create('snapshots', [project, to, snapshot.name], { ...snapshot, instance: to });
  renameWithInstance(services, [project, name, to], transaction);
  await transaction
    .delete('instances', [project, name], found.revision)
    .create('instances', [project, to], { ...withoutPending(record), name: to, config })
    .create('placements', [project, to], placement.value)
    .delete('placements', [project, name], placement.revision)
    .remove('statuses', [project, name])
    .commit({ signal });
}

/** The effect of a rename that is on record. Finds what is done done; a failure takes it back. */
export async function finishRename(
  context: InstancesContext,
  record: InstanceRecord,
  to: string,
  signal: AbortSignal,
): Promise<void> {
  const { services } = context;
  const { project, name } = record;
  const member = memberOf(services, project, name);
  const agent = services.agents.get(member);
  const spec = instanceSpec(services, record, member);
  try {
    await agent.renameInstance(spec, to, { signal });
    await moveRecords(context, record, to, signal);
  } catch (error) {
    const back = { signal: AbortSignal.timeout(unwindTimeoutMs) };
    try {
      if (services.records.get('instances', project, name)) {
        await agent.renameInstance({ ...spec, name: to }, name, back);
        await services.records.modify('instances', [project, name], withoutPending, back);
      }
    } catch (failure) {
      services.log.error('taking back a failed rename failed; it is tried again later', {
        instance: name,
        error: toLxdError(failure).message,
      });
    }
    throw error;
  }
}

/** A rename within an operation; its turn is the caller's. */
export async function renameWithin(
  context: InstancesContext,
  project: string,
  name: string,
  to: string,
  { id, signal }: Pick<RunningOperation, 'id' | 'signal'>,
): Promise<void> {
  const { services } = context;
  if (isUp(statusOf(services, project, name)))
    throw new LxdError('invalid', 'Renaming of running container not allowed');
  services.agents.get(memberOf(services, project, name));
  const { after } = await intend(
    context,
    project,
    name,
    { kind: 'rename', operation: id, detail: { to } },
    (record) => record,
    { signal },
  );
  await finishRename(context, after, to, signal);
  services.events.lifecycle({
    action: 'instance-renamed',
    source: instanceUrl(project, to),
    project,
    context: { old_name: name },
  });
}

/** @throws LxdError `invalid`, `not-found`, `conflict` */
export function startRename(
  context: InstancesContext,
  project: string,
  name: string,
  newName: string | undefined,
): Promise<OperationView> {
  const { services, busy } = context;
  findInstance(services, project, name);
  const to = newName || name;
  checkInstanceName(to);
  if (services.records.get('instances', project, to))
    throw new LxdError('conflict', `Name "${to}" already in use`);
  return services.operations.start({
    class: 'task',
    description: 'Renaming instance',
    described: 'all',
    project,
    resources: { instances: [name], containers: [name] },
    run: ({ id, signal }) =>
      busy.queue({ project, name }, 'rename', () => renameWithin(context, project, name, to, { id, signal })),
  });
}
