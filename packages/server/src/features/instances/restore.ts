import { LxdError, type Devices } from '@lxd-ts/core';
import type { OperationView } from '@lxd-ts/operations';
import type { InstanceRecord, SnapshotRecord } from '@lxd-ts/state';
import type { Services } from '../../services.ts';
import { findInstance, instanceUrl, isUp, memberOf, statusOf, type InstancesContext } from './context.ts';
import { expandIn, isRootDisk, rootDisk } from './expand.ts';
import { intend } from './pending.ts';
import { settle, unchanged } from './snapshot-records.ts';
import { instanceSpec } from './spec.ts';
import { changeState } from './state-change.ts';
import { fillVolatile } from './volatile.ts';

/** Its root stays in the pool where its files are, wherever it was then. */
function inPlace(services: Services, now: InstanceRecord, devices: Devices): Devices {
  const pool = rootDisk(expandIn(services, now.project, now).devices)?.[1]['pool'];
  return Object.fromEntries(
    Object.entries(devices).map(([name, device]) => [
      name,
      isRootDisk(device) && pool !== undefined ? { ...device, pool } : device,
    ]),
  );
}

const runtimeKey = /^volatile\.(last_state\.|idmap\.|uuid$|.*\.(host_name|last_state\..*)$)/;

/** The instance as it was then; what it is at this moment on its host stays. */
export function restored(services: Services, now: InstanceRecord, then: SnapshotRecord): InstanceRecord {
  const keep = Object.entries(now.config).filter(([key]) => runtimeKey.test(key));
  const old = Object.entries(then.config).filter(([key]) => !runtimeKey.test(key));
  return fillVolatile(services, {
    ...now,
    architecture: then.architecture,
    ephemeral: then.ephemeral,
    profiles: then.profiles,
    devices: inPlace(services, now, then.devices),
    config: Object.fromEntries([...old, ...keep]),
  });
}

/** The effect of a restore that is on record; after a crash it is finished, since half of it cannot be told. */
export async function finishRestore(
  { services }: InstancesContext,
  { project, name }: InstanceRecord,
  snapshot: string,
  signal: AbortSignal,
): Promise<void> {
  const found = services.records.get('snapshots', project, name, snapshot);
  if (found) {
    const member = memberOf(services, project, name);
    const spec = instanceSpec(services, findInstance(services, project, name).value, member);
    await services.agents.get(member).restoreSnapshot(spec, snapshot, { signal });
  }
  await settle(services, project, name, (record) =>
    found ? restored(services, record, found.value) : record,
  );
}

/** `PUT` with `restore`. One that runs is stopped for it, and started again. @throws LxdError `not-found` */
export function startRestore(
  context: InstancesContext,
  project: string,
  name: string,
  snapshot: string,
  stateful = false,
): Promise<OperationView> {
  const { services, busy } = context;
  findInstance(services, project, name);
  const check = () => {
    const found = services.records.get('snapshots', project, name, snapshot);
    if (!found) throw new LxdError('not-found', `Snapshot ${name}/${snapshot} does not exist`);
    return found.value;
  };
  return services.operations.start({
    class: 'task',
    description: 'Restoring snapshot',
    project,
    resources: { instances: [name], containers: [name] },
    run: async (operation) => {
      const { id, signal } = operation;
      check();
      if (stateful)
        throw new LxdError('invalid', 'Stateful snapshot restore requested but snapshot is stateless');
      services.agents.get(memberOf(services, project, name));
      const running = isUp(statusOf(services, project, name));
      if (running) {
        await changeState(
          context,
          project,
          name,
          { action: 'stop', force: true, timeoutMs: 0, powerAfter: 'RUNNING', keep: true },
          operation,
        );
      }
      try {
        await busy.queue({ project, name }, 'restore', async () => {
          check();
          if (isUp(statusOf(services, project, name))) throw new LxdError('invalid', 'Instance is running');
          const intent = { kind: 'restore' as const, operation: id, detail: { snapshot } };
          const { after } = await intend(context, project, name, intent, unchanged, { signal });
          await finishRestore(context, after, snapshot, signal);
        });
      } finally {
        if (running)
          await changeState(
            context,
            project,
            name,
            { action: 'start', force: false, timeoutMs: -1 },
            { id, signal: AbortSignal.timeout(60_000) },
          );
      }
      services.events.lifecycle({
        action: 'instance-restored',
        source: instanceUrl(project, name),
        project,
        context: { snapshot: `${name}/${snapshot}` },
      });
    },
  });
}
