import { LxdError, toLxdError } from '@lxd-ts/core';
import type { OperationView } from '@lxd-ts/operations';
import type { CopySource, Outcome } from '@lxd-ts/rpc';
import type { InstanceRecord, SnapshotRecord, Transaction } from '@lxd-ts/state';
import type { Services } from '../../services.ts';
import { findInstance, isUp, memberOf, statusOf, unwindTimeoutMs, type InstancesContext } from './context.ts';
import { intend, withoutPending } from './pending.ts';
import type { InstanceSourceBody } from './requests.ts';
import { sendFiles, type End, type Wait } from './send-files.ts';
import { findSnapshot, settle, snapshotsOf, unchanged } from './snapshot-records.ts';
import { told } from './snapshots.ts';
import { instanceSpec } from './spec.ts';
import { withoutOwnVolatile } from './volatile.ts';

/** What a copy is made of. */
export interface CopyOrigin {
  /** As it is now, or as it was when `snapshot` was taken. */
  from: InstanceRecord;
  snapshot?: string;
  /** Those that come along, oldest first. */
  snapshots: SnapshotRecord[];
}

/** @throws LxdError `invalid`, `not-found`, as LXD */
export function copyOrigin(services: Services, project: string, source: InstanceSourceBody): CopyOrigin {
  if (!source.source) throw new LxdError('invalid', 'Must specify a source instance');
  const of = source.project ?? project;
  const [name = '', snapshot] = source.source.split('/', 2);
  if (snapshot !== undefined) {
    const found = findSnapshot(services, of, name, snapshot).value;
    const { architecture, ephemeral, config, devices, profiles } = found;
    const from = {
      ...findInstance(services, of, name).value,
      architecture,
      ephemeral,
      config,
      devices,
      profiles,
    };
    return { from, snapshot, snapshots: [] };
  }
  const found = services.records.get('instances', of, name);
  if (!found)
    throw new LxdError(
      'not-found',
      `Failed to fetch instance "${name}" in project "${of}": Instance not found`,
    );
  const alone = source.instance_only ?? source.container_only ?? false;
  return { from: found.value, snapshots: alone ? [] : snapshotsOf(services, of, name) };
}

/** What the member is told. */
export function copySource(services: Services, { from, snapshot, snapshots }: CopyOrigin): CopySource {
  const now = findInstance(services, from.project, from.name).value;
  const member = memberOf(services, from.project, from.name);
  return {
    source: instanceSpec(services, now, member),
    ...(snapshot === undefined ? {} : { snapshot }),
    snapshots: snapshots.map(({ name }) => name),
  };
}

/** A copy on another member than its source's. @throws LxdError `unsupported` of a snapshot */
export async function copyAcross(
  services: Services,
  to: End,
  { from, snapshot, snapshots }: CopyOrigin,
  wait: Wait,
): Promise<Outcome> {
  if (snapshot !== undefined)
    throw new LxdError('unsupported', 'A snapshot is copied only on its own cluster member: copy, then move');
  const { project, name } = from;
  const record = withoutPending(findInstance(services, project, name).value);
  const files = {
    snapshots: snapshots.map(({ project: _project, instance: _instance, ...one }) => one),
    running: isUp(statusOf(services, project, name)),
  };
  await sendFiles(services, { record, member: memberOf(services, project, name) }, to, files, wait);
  return { volatile: {} };
}

/** Their records, as those of the copy. */
export function putCopied(
  transaction: Transaction,
  { project, name }: Pick<InstanceRecord, 'project' | 'name'>,
  snapshots: readonly SnapshotRecord[],
): void {
  for (const snapshot of snapshots)
    transaction.put('snapshots', [project, name, snapshot.name], {
      ...snapshot,
      project,
      instance: name,
      config: withoutOwnVolatile(snapshot.config),
    });
}

interface Difference {
  gone: SnapshotRecord[];
  fresh: SnapshotRecord[];
}

/** A snapshot that was taken at another time is another one. */
function difference(services: Services, { project, name }: InstanceRecord, origin: CopyOrigin): Difference {
  const mine = snapshotsOf(services, project, name);
  const same = (a: SnapshotRecord) => (b: SnapshotRecord) => a.name === b.name && a.createdAt === b.createdAt;
  return {
    gone: mine.filter((one) => !origin.snapshots.some(same(one))),
    fresh: origin.snapshots.filter((one) => !mine.some(same(one))),
  };
}

/** The effect of a refresh that is on record. Cut off, it goes on where it was. */
export async function finishRefresh(
  context: InstancesContext,
  record: InstanceRecord,
  source: InstanceSourceBody,
  signal: AbortSignal,
): Promise<void> {
  const { services } = context;
  const { project, name } = record;
  const origin = copyOrigin(services, project, source);
  const member = memberOf(services, project, name);
  const agent = services.agents.get(member);
  const spec = instanceSpec(services, record, member);
  const { gone, fresh } = difference(services, record, origin);
  for (const { name: snapshot } of gone) {
    await agent.deleteSnapshot(spec, snapshot, { signal });
    await services.records.transaction().remove('snapshots', [project, name, snapshot]).commit({ signal });
    told(context, { project, name, snapshot }, 'deleted');
  }
  await agent.refreshInstance(spec, copySource(services, origin), { signal });
  await settle(services, project, name, unchanged, (transaction) => putCopied(transaction, record, fresh));
  for (const { name: snapshot } of fresh) told(context, { project, name, snapshot }, 'created');
}

/** What came of a refresh that cannot be finished and is not on record goes again. */
export async function dropRefresh(
  { services }: InstancesContext,
  record: InstanceRecord,
  wanted: readonly string[],
): Promise<void> {
  const { project, name } = record;
  const member = memberOf(services, project, name);
  const known = snapshotsOf(services, project, name).map((snapshot) => snapshot.name);
  const signal = AbortSignal.timeout(unwindTimeoutMs);
  for (const snapshot of wanted.filter((one) => !known.includes(one)))
    await services.agents
      .get(member)
      .deleteSnapshot(instanceSpec(services, record, member), snapshot, { signal });
  await settle(services, project, name, unchanged);
}

/** A copy onto an instance that is there already: only what differs is copied. */
export function startRefresh(
  context: InstancesContext,
  { project, name }: { project: string; name: string },
  source: InstanceSourceBody,
): Promise<OperationView> {
  const { services, busy } = context;
  const names = [name, source.source ?? ''];
  return services.operations.start({
    class: 'task',
    description: 'Creating instance',
    project,
    resources: { instances: names, containers: names },
    run: ({ id, signal }) =>
      busy.queue({ project, name }, 'refresh', async () => {
        const origin = copyOrigin(services, project, source);
        if (origin.from.project === project && origin.from.name === name)
          throw new LxdError('invalid', 'An instance cannot be refreshed from itself');
        if (isUp(statusOf(services, project, name)))
          throw new LxdError('invalid', 'Cannot refresh a running instance');
        if (memberOf(services, project, name) !== memberOf(services, origin.from.project, origin.from.name))
          throw new LxdError('unsupported', 'A refresh from another cluster member is not supported yet');
        const detail = {
          source: JSON.stringify(source),
          snapshots: JSON.stringify(origin.snapshots.map((snapshot) => snapshot.name)),
        };
        const intent = { kind: 'refresh' as const, operation: id, detail };
        const { after } = await intend(context, project, name, intent, unchanged, { signal });
        try {
          await finishRefresh(context, after, source, signal);
        } catch (error) {
          const wanted = origin.snapshots.map((snapshot) => snapshot.name);
          await dropRefresh(context, after, wanted).catch((failure: unknown) => {
            services.log.error('taking back a failed refresh failed; it is tried again later', {
              instance: name,
              error: toLxdError(failure).message,
            });
          });
          throw error;
        }
      }),
  });
}
