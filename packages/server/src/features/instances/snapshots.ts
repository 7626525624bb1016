import { LxdError, toLxdError } from '@lxd-ts/core';
import type { OperationView, RunningOperation } from '@lxd-ts/operations';
import type { Pending, Transaction } from '@lxd-ts/state';
import type { Services } from '../../services.ts';
import { expandIn } from './expand.ts';
import { findInstance, isUp, memberOf, statusOf, unwindTimeoutMs, type InstancesContext } from './context.ts';
import { intend } from './pending.ts';
import type { InstanceSnapshotPost, InstanceSnapshotPut, InstanceSnapshotsPost } from './requests.ts';
import { checkSnapshotName, expiryOf, nextSnapshotName } from './snapshot-names.ts';
import { findSnapshot, settle, snapshotRecord, snapshotsOf, unchanged } from './snapshot-records.ts';
import { instanceSpec } from './spec.ts';

const unset = '0001-01-01T00:00:00Z';

export interface SnapshotRef {
  project: string;
  /** Of the instance. */
  name: string;
  snapshot: string;
}

const snapshotUrl = ({ project, name, snapshot }: SnapshotRef): string =>
  `/1.0/instances/${name}/snapshots/${encodeURIComponent(snapshot)}${project === 'default' ? '' : `?project=${encodeURIComponent(project)}`}`;

/** A lifecycle event of a snapshot. */
export const told = (
  { services }: InstancesContext,
  ref: SnapshotRef,
  action: string,
  context?: Record<string, unknown>,
): void =>
  services.events.lifecycle({
    action: `instance-snapshot-${action}`,
    source: snapshotUrl(ref),
    project: ref.project,
    ...(context ? { context } : {}),
  });

/** The agent that has it, and what it is told of it. */
function at(services: Services, project: string, name: string) {
  const member = memberOf(services, project, name);
  return {
    agent: services.agents.get(member),
    spec: instanceSpec(services, findInstance(services, project, name).value, member),
  };
}

function checkSlashes(name: string): void {
  for (const sign of ['/', '+'])
    if (name.includes(sign)) throw new LxdError('invalid', `Invalid snapshot name: Cannot contain "${sign}"`);
}

const timeOf = (text: string | null | undefined): string =>
  !text || text === unset ? '' : new Date(text).toISOString();

/**
 * The effect of a new snapshot, and its record only once it is whole. A failure takes it back.
 * @throws LxdError worded as LXD words it
 */
export async function takeSnapshot(
  context: InstancesContext,
  ref: SnapshotRef,
  expiresAt: string,
  operation: Pick<RunningOperation, 'id' | 'signal'>,
): Promise<void> {
  const { services } = context;
  const { project, name, snapshot } = ref;
  const { id, signal } = operation;
  try {
    checkSnapshotName(snapshot);
    if (services.records.get('snapshots', project, name, snapshot))
      throw new LxdError(
        'conflict',
        'Add snapshot info to the database: This "instances_snapshots" entry already exists',
      );
  } catch (error) {
    const { code, message } = toLxdError(error);
    throw new LxdError(code, `Failed creating instance snapshot record "${snapshot}": ${message}`);
  }
  const { agent, spec } = at(services, project, name);
  const intent: Pick<Pending, 'kind' | 'operation' | 'detail'> = {
    kind: 'snapshot',
    operation: id,
    detail: { snapshot },
  };
  await intend(context, project, name, intent, unchanged, { signal });
  try {
    const createdAt = services.clock.now().toISOString();
    await agent.createSnapshot(spec, snapshot, { signal });
    await settle(services, project, name, unchanged, (transaction) => {
      const { value } = findInstance(services, project, name);
      const { pending: _, ...instance } = value;
      const record = snapshotRecord(instance, snapshot, { createdAt, expiresAt });
      transaction.create('snapshots', [project, name, snapshot], record);
    });
  } catch (error) {
    await dropSnapshot(context, ref).catch((failure: unknown) => {
      services.log.error('taking back a failed snapshot failed; it is tried again later', {
        instance: name,
        error: toLxdError(failure).message,
      });
    });
    throw error;
  }
  told(context, ref, 'created');
}

/** What was begun for a snapshot that is not on record goes, and the intent with it. */
export async function dropSnapshot(
  { services }: InstancesContext,
  { project, name, snapshot }: SnapshotRef,
): Promise<void> {
  if (!services.records.get('snapshots', project, name, snapshot)) {
    const { agent, spec } = at(services, project, name);
    await agent.deleteSnapshot(spec, snapshot, { signal: AbortSignal.timeout(unwindTimeoutMs) });
  }
  await settle(services, project, name, unchanged);
}

/** @throws LxdError `not-found`, `invalid` */
export function startSnapshot(
  context: InstancesContext,
  project: string,
  name: string,
  body: InstanceSnapshotsPost,
): Promise<OperationView> {
  const { services, busy } = context;
  const { config } = expandIn(services, project, findInstance(services, project, name).value);
  checkSlashes(body.name ?? '');
  const given = body.expires_at;
  if (typeof given === 'string') timeOf(given);
  return services.operations.start({
    class: 'task',
    description: 'Snapshotting instance',
    project,
    resources: { instances: [name], containers: [name] },
    run: (operation) => {
      if (body.stateful)
        throw isUp(statusOf(services, project, name))
          ? new LxdError('unsupported', 'Unable to create a stateful snapshot. CRIU is not supported')
          : new LxdError('invalid', "Unable to create a stateful snapshot. The instance isn't running");
      return busy.queue({ project, name }, 'snapshot', () => {
        const now = services.clock.now();
        const taken = snapshotsOf(services, project, name).map((one) => one.name);
        const snapshot = body.name || nextSnapshotName(config['snapshots.pattern'] ?? '', taken, now);
        const expiresAt = given ? timeOf(given) : expiryOf(config['snapshots.expiry'], now);
        return takeSnapshot(context, { project, name, snapshot }, expiresAt, operation);
      });
    },
  });
}

/** The effect of a deletion that is on record. Finds what is gone gone. */
export async function finishDelete(
  { services }: InstancesContext,
  { project, name, snapshot }: SnapshotRef,
  signal: AbortSignal,
): Promise<void> {
  const { agent, spec } = at(services, project, name);
  await agent.deleteSnapshot(spec, snapshot, { signal });
  await settle(services, project, name, unchanged, (transaction) =>
    transaction.remove('snapshots', [project, name, snapshot]),
  );
}

/** The effect of a rename that is on record. Finds what is done done. */
export async function finishRename(
  { services }: InstancesContext,
  { project, name, snapshot }: SnapshotRef,
  to: string,
  signal: AbortSignal,
): Promise<void> {
  const { agent, spec } = at(services, project, name);
  await agent.renameSnapshot(spec, snapshot, to, { signal });
  await settle(services, project, name, unchanged, (transaction: Transaction) => {
    const found = services.records.get('snapshots', project, name, snapshot);
    if (!found) return;
    transaction
      .delete('snapshots', [project, name, snapshot], found.revision)
      .put('snapshots', [project, name, to], { ...found.value, name: to });
  });
}

/** Deletes a snapshot within an operation. */
export async function deleteSnapshot(
  context: InstancesContext,
  ref: SnapshotRef,
  { id, signal }: Pick<RunningOperation, 'id' | 'signal'>,
): Promise<void> {
  const { project, name, snapshot } = ref;
  findSnapshot(context.services, project, name, snapshot);
  at(context.services, project, name);
  const intent = { kind: 'snapshot-delete' as const, operation: id, detail: { snapshot } };
  await intend(context, project, name, intent, unchanged, { signal });
  await finishDelete(context, ref, signal);
  told(context, ref, 'deleted');
}

/** @throws LxdError `not-found` */
export function startSnapshotDelete(context: InstancesContext, ref: SnapshotRef): Promise<OperationView> {
  const { services, busy } = context;
  const { project, name, snapshot } = ref;
  findInstance(services, project, name);
  findSnapshot(services, project, name, snapshot);
  const names = [`${name}/${snapshot}`];
  return services.operations.start({
    class: 'task',
    description: 'Deleting snapshot',
    project,
    resources: { instances: names, containers: names },
    run: (operation) =>
      busy.queue({ project, name }, 'snapshot-delete', () => deleteSnapshot(context, ref, operation)),
  });
}

/** @throws LxdError `not-found`, `invalid`, `conflict` */
export function startSnapshotRename(
  context: InstancesContext,
  ref: SnapshotRef,
  body: InstanceSnapshotPost,
): Promise<OperationView> {
  const { services, busy } = context;
  const { project, name, snapshot } = ref;
  findInstance(services, project, name);
  findSnapshot(services, project, name, snapshot);
  const to = body.name ?? '';
  checkSlashes(to);
  checkSnapshotName(to);
  const checkFree = () => {
    if (services.records.get('snapshots', project, name, to))
      throw new LxdError('conflict', `Name '${name}/${to}' already in use`);
  };
  checkFree();
  return services.operations.start({
    class: 'task',
    description: 'Renaming snapshot',
    project,
    resources: { instances: [name], containers: [name] },
    run: ({ id, signal }) =>
      busy.queue({ project, name }, 'snapshot-rename', async () => {
        findSnapshot(services, project, name, snapshot);
        checkFree();
        at(services, project, name);
        const intent = { kind: 'snapshot-rename' as const, operation: id, detail: { snapshot, to } };
        await intend(context, project, name, intent, unchanged, { signal });
        await finishRename(context, ref, to, signal);
        told(context, { ...ref, snapshot: to }, 'renamed', { old_name: `${name}/${snapshot}` });
      }),
  });
}

/** What is left out of a PUT is unset, of a PATCH kept. @throws LxdError `not-found` */
export function startSnapshotUpdate(
  context: InstancesContext,
  ref: SnapshotRef,
  body: InstanceSnapshotPut,
  kind: 'replace' | 'merge',
): Promise<OperationView> {
  const { services } = context;
  const { project, name, snapshot } = ref;
  findInstance(services, project, name);
  findSnapshot(services, project, name, snapshot);
  const given = body.expires_at;
  return services.operations.start({
    class: 'task',
    description: 'Updating snapshot',
    described: 'all',
    project,
    // As LXD names it.
    resources: { instances: [snapshot], containers: [snapshot] },
    run: async ({ signal }) => {
      if (kind === 'merge' && given === undefined) return;
      await services.records.modify(
        'snapshots',
        [project, name, snapshot],
        (record) => ({ ...record, expiresAt: timeOf(given) }),
        { signal },
      );
    },
  });
}
