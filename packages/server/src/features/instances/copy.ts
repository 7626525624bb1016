import { LxdError } from '@lxd-ts/core';
import type { CopySource, Outcome } from '@lxd-ts/rpc';
import type { InstanceRecord, SnapshotRecord, Transaction } from '@lxd-ts/state';
import type { Services } from '../../services.ts';
import { findInstance, isUp, memberOf, statusOf } from './context.ts';
import { withoutPending } from './pending.ts';
import type { InstanceSourceBody } from './requests.ts';
import { sendFiles, type End, type Wait } from './send-files.ts';
import { findSnapshot, snapshotsOf } from './snapshot-records.ts';
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

/** A copy on another member than its source's. */
export async function copyAcross(
  services: Services,
  to: End,
  { from, snapshot, snapshots }: CopyOrigin,
  wait: Wait,
): Promise<Outcome> {
  const { project, name } = from;
  const record = withoutPending(findInstance(services, project, name).value);
  const files = {
    ...(snapshot === undefined ? {} : { snapshot }),
    snapshots: snapshots.map(({ project: _project, instance: _instance, ...one }) => one),
    running: snapshot === undefined && isUp(statusOf(services, project, name)),
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
