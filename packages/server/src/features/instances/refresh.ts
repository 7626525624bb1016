import { LxdError, toLxdError } from '@lxd-ts/core';
import type { OperationView, RunningOperation } from '@lxd-ts/operations';
import type { ReceivedInstance } from '@lxd-ts/rpc';
import type { InstanceRecord, SnapshotRecord } from '@lxd-ts/state';
import { receiveMigrated, sinkEnd } from '../migration/receive.ts';
import { findInstance, isUp, memberOf, statusOf, unwindTimeoutMs, type InstancesContext } from './context.ts';
import { copyOrigin, copySource, putCopied, type CopyOrigin } from './copy.ts';
import { intend, withoutPending } from './pending.ts';
import type { InstanceSourceBody } from './requests.ts';
import { sendFiles, type Wait } from './send-files.ts';
import { settle, snapshotsOf, unchanged } from './snapshot-records.ts';
import { told } from './snapshots.ts';
import { instanceSpec } from './spec.ts';

interface Ref {
  project: string;
  name: string;
}

/** Without snapshots: those of the copy are left alone. */
const isAlone = ({ instance_only: alone, container_only: older }: InstanceSourceBody): boolean =>
  alone ?? older ?? false;

/** What the other end compares its own with. */
const presentOf = ({ services }: InstancesContext, { project, name }: Ref, source: InstanceSourceBody) =>
  isAlone(source)
    ? []
    : snapshotsOf(services, project, name).map(({ project: _, instance: __, ...one }) => one);

/** A snapshot that was taken at another time is another one. */
function difference({ services }: InstancesContext, { project, name }: Ref, origin: CopyOrigin) {
  const mine = snapshotsOf(services, project, name);
  const same = (a: SnapshotRecord) => (b: SnapshotRecord) => a.name === b.name && a.createdAt === b.createdAt;
  return {
    gone: mine.filter((one) => !origin.snapshots.some(same(one))),
    fresh: origin.snapshots.filter((one) => !mine.some(same(one))),
  };
}

/** What came is on record, and what went no longer, at once. */
async function recordRefreshed(
  context: InstancesContext,
  { project, name }: Ref,
  gone: readonly string[],
  fresh: readonly SnapshotRecord[],
): Promise<void> {
  const lost = gone.filter((one) => !fresh.some((other) => other.name === one));
  await settle(context.services, project, name, unchanged, (transaction) => {
    for (const snapshot of lost) transaction.remove('snapshots', [project, name, snapshot]);
    putCopied(transaction, { project, name }, fresh);
  });
  for (const snapshot of lost) told(context, { project, name, snapshot }, 'deleted');
  for (const { name: snapshot } of fresh) told(context, { project, name, snapshot }, 'created');
}

/** From another member: only what differs, past the control plane. */
async function refreshAcross(
  context: InstancesContext,
  record: InstanceRecord,
  source: InstanceSourceBody,
  origin: CopyOrigin,
  wait: Wait,
): Promise<void> {
  const { services } = context;
  const { project, name } = origin.from;
  const from = withoutPending(findInstance(services, project, name).value);
  const { snapshots, gone } = await sendFiles(
    services,
    { record: from, member: memberOf(services, project, name) },
    { record, member: memberOf(services, record.project, record.name) },
    {
      snapshots: origin.snapshots.map(({ project: _, instance: __, ...one }) => one),
      present: presentOf(context, record, source),
      running: isUp(statusOf(services, project, name)),
    },
    wait,
  );
  const came = origin.snapshots.filter((one) => snapshots.some((other) => other.name === one.name));
  await recordRefreshed(context, record, gone, came);
}

/** The effect of a refresh that is on record. Cut off, it goes on where it was. */
export async function finishRefresh(
  context: InstancesContext,
  record: InstanceRecord,
  source: InstanceSourceBody,
  wait: Wait,
): Promise<void> {
  const { services } = context;
  const { project, name } = record;
  const { signal } = wait;
  const origin = copyOrigin(services, project, source);
  const member = memberOf(services, project, name);
  if (member !== memberOf(services, origin.from.project, origin.from.name)) {
    await refreshAcross(context, record, source, origin, wait);
    return;
  }
  const agent = services.agents.get(member);
  const spec = instanceSpec(services, record, member);
  const { gone, fresh } = difference(context, record, origin);
  for (const { name: snapshot } of isAlone(source) ? [] : gone) {
    await agent.deleteSnapshot(spec, snapshot, { signal });
    await services.records.transaction().remove('snapshots', [project, name, snapshot]).commit({ signal });
    told(context, { project, name, snapshot }, 'deleted');
  }
  await agent.refreshInstance(spec, copySource(services, origin), { signal });
  await recordRefreshed(context, record, [], fresh);
}

/** After a refresh that cannot be finished there is what is on record, and on record what there is. */
export async function dropRefresh({ services }: InstancesContext, record: InstanceRecord): Promise<void> {
  const { project, name } = record;
  const member = memberOf(services, project, name);
  const known = snapshotsOf(services, project, name).map((snapshot) => snapshot.name);
  const left = await services.agents
    .get(member)
    .settleSnapshots(instanceSpec(services, record, member), known, {
      signal: AbortSignal.timeout(unwindTimeoutMs),
    });
  await settle(services, project, name, unchanged, (transaction) => {
    for (const snapshot of known)
      if (!left.includes(snapshot)) transaction.remove('snapshots', [project, name, snapshot]);
  });
}

/** The intent, the effect, and what to do when it fails. */
async function refresh(
  context: InstancesContext,
  { project, name }: Ref,
  { id, signal }: Pick<RunningOperation, 'id' | 'signal'>,
  /** Of the source, what recovery needs to go on with it; absent: it cannot. */
  source: InstanceSourceBody | undefined,
  effect: (record: InstanceRecord) => Promise<void>,
): Promise<void> {
  if (isUp(statusOf(context.services, project, name)))
    throw new LxdError('invalid', 'Cannot refresh a running instance');
  const detail = source ? { source: JSON.stringify(source) } : {};
  const intent = { kind: 'refresh' as const, operation: id, detail };
  const { after } = await intend(context, project, name, intent, unchanged, { signal });
  try {
    await effect(after);
  } catch (error) {
    await dropRefresh(context, after).catch((failure: unknown) => {
      context.services.log.error('taking back a failed refresh failed; it is tried again later', {
        instance: name,
        error: toLxdError(failure).message,
      });
    });
    throw error;
  }
}

/** A copy onto an instance that is there already: only what differs is copied. */
export function startRefresh(
  context: InstancesContext,
  ref: Ref,
  source: InstanceSourceBody,
): Promise<OperationView> {
  const { services, busy } = context;
  const { project, name } = ref;
  const names = [name, source.source ?? ''];
  return services.operations.start({
    class: 'task',
    description: 'Creating instance',
    project,
    resources: { instances: names, containers: names },
    run: (running) =>
      busy.queue(ref, 'refresh', async () => {
        const { from } = copyOrigin(services, project, source);
        if (from.project === project && from.name === name)
          throw new LxdError('invalid', 'An instance cannot be refreshed from itself');
        const wait: Wait = {
          signal: running.signal,
          onProgress: (progress) => running.update(progress),
        };
        await refresh(context, ref, running, source, (record) =>
          finishRefresh(context, record, source, wait),
        );
      }),
  });
}

/** The same from another server. @throws LxdError `invalid` while it runs */
export async function startRefreshMigrated(
  context: InstancesContext,
  ref: Ref,
  source: InstanceSourceBody,
): Promise<OperationView> {
  const { services, busy } = context;
  const { project, name } = ref;
  if (isUp(statusOf(services, project, name)))
    throw new LxdError('invalid', 'Cannot refresh a running instance');
  const end = sinkEnd(services, source);
  const take = async (record: InstanceRecord, running: RunningOperation): Promise<void> => {
    const commit = ({ snapshots, gone }: ReceivedInstance) =>
      recordRefreshed(
        context,
        ref,
        gone,
        snapshots.map((one) => ({ ...one, profiles: [...one.profiles], project, instance: name })),
      );
    const member = memberOf(services, project, name);
    const present = presentOf(context, ref, source);
    await receiveMigrated(services, { record, member, source, end, present }, running, commit);
  };
  return services.operations.start({
    ...end.operation,
    description: 'Creating instance',
    project,
    resources: { instances: [name], containers: [name] },
    run: async (running) => {
      try {
        await busy.queue(ref, 'refresh', () =>
          refresh(context, ref, running, undefined, (record) => take(record, running)),
        );
      } finally {
        end.close();
      }
    },
  });
}
