import { LxdError } from '@lxd-ts/core';
import type { OperationView } from '@lxd-ts/operations';
import type { Versioned, VolumeRecord, VolumeSnapshotRecord } from '@lxd-ts/state';
import type { Caller } from '../../http/route.ts';
import type { Services } from '../../services.ts';
import { checkSnapshotName, expiryOf, nextSnapshotName } from '../instances/snapshot-names.ts';
import { changing, specOf, told, type VolumesContext } from './context.ts';
import { isRunningWith } from './references.ts';
import { snapshotPrefix } from './service.ts';

type Who = Pick<Caller, 'username' | 'protocol'>;

const never = '0001-01-01T00:00:00Z';
/** Files may be many. */
const restoreMs = 12 * 3_600_000;

/** '' for none; what no time is named by was checked at the edge. */
export const timeOf = (text: string | null | undefined): string =>
  !text || text === never ? '' : new Date(text).toISOString();

export const snapshotsOf = ({ records }: Services, volume: VolumeRecord): Versioned<VolumeSnapshotRecord>[] =>
  records.list('volumeSnapshots', ...snapshotPrefix(volume));

/** @throws LxdError `not-found` */
export function findSnapshot(
  { records }: Services,
  volume: VolumeRecord,
  name: string,
): Versioned<VolumeSnapshotRecord> {
  const found = records.get('volumeSnapshots', ...snapshotPrefix(volume), name);
  if (!found) throw new LxdError('not-found', 'Storage pool volume not found');
  return found;
}

const volumeResource = (name: string) => ({ storage_volumes: [`/1.0/storage_volumes/${name}`] });
const snapshotResource = (name: string) => ({
  storage_volume_snapshots: [`/1.0/storage_volume_snapshots/${name}`],
});

/** @throws LxdError `conflict`, `invalid` */
export async function startSnapshot(
  context: VolumesContext,
  found: Versioned<VolumeRecord>,
  wanted: {
    name?: string | undefined;
    description?: string | undefined;
    expires_at?: string | null | undefined;
  },
  caller: Who,
): Promise<OperationView> {
  const { services } = context;
  const { operations, records, clock, agents } = services;
  const volume = found.value;
  const taken = snapshotsOf(services, volume).map(({ value }) => value.name);
  const now = clock.now();
  const snapshot = wanted.name || nextSnapshotName(volume.config['snapshots.pattern'] ?? '', taken, now);
  if (snapshot.includes('/')) throw new LxdError('invalid', 'Storage name cannot contain "/"');
  checkSnapshotName(snapshot);
  if (taken.includes(snapshot)) throw new LxdError('conflict', `Snapshot "${snapshot}" already in use`);
  const record: VolumeSnapshotRecord = {
    pool: volume.pool,
    project: volume.project,
    volume: volume.name,
    member: volume.member,
    name: snapshot,
    description: wanted.description ?? volume.description,
    config: volume.config,
    createdAt: now.toISOString(),
    expiresAt:
      wanted.expires_at === undefined || wanted.expires_at === null
        ? expiryOf(volume.config['snapshots.expiry'], now)
        : timeOf(wanted.expires_at),
  };
  const agent = agents.get(volume.member);
  const spec = specOf(services, volume, snapshot);
  return operations.start({
    class: 'task',
    description: 'Creating storage volume snapshot',
    project: volume.project,
    resources: volumeResource(volume.name),
    run: async ({ signal: given }) => {
      await changing(
        context,
        found,
        { kind: 'snapshot', detail: { snapshot } },
        async (signal) => {
          await agent.copyVolume(specOf(services, volume), spec, [], { signal });
          await records
            .transaction()
            .create('volumeSnapshots', [...snapshotPrefix(volume), snapshot], record)
            .commit({ signal });
        },
        { undo: (signal) => agent.deleteVolume(spec, { signal }), given },
      );
      told(services, 'snapshot-created', volume, caller, { snapshot });
    },
  });
}

export async function startSnapshotRename(
  context: VolumesContext,
  found: Versioned<VolumeRecord>,
  [from, to]: [string, string],
  caller: Who,
): Promise<OperationView> {
  const { services } = context;
  const volume = found.value;
  if (to === '') throw new LxdError('invalid', 'No name provided');
  if (to.includes('/')) throw new LxdError('invalid', 'Storage volume names may not contain slashes');
  checkSnapshotName(to);
  return services.operations.start({
    class: 'task',
    description: 'Renaming storage volume snapshot',
    project: volume.project,
    resources: snapshotResource(volume.name),
    run: async () => {
      findSnapshot(services, volume, from);
      if (services.records.get('volumeSnapshots', ...snapshotPrefix(volume), to))
        throw new LxdError('conflict', `Snapshot "${to}" already in use`);
      await changing(context, found, { kind: 'snapshot-rename', detail: { snapshot: from, to } }, (signal) =>
        finishSnapshotRename(services, volume, [from, to], signal),
      );
      told(services, 'snapshot-renamed', volume, caller, { snapshot: to, context: { old_name: from } });
    },
  });
}

export async function finishSnapshotRename(
  services: Services,
  volume: VolumeRecord,
  [from, to]: [string, string],
  signal: AbortSignal,
): Promise<void> {
  const { records, agents } = services;
  const found = records.get('volumeSnapshots', ...snapshotPrefix(volume), from);
  if (!found) return;
  await agents
    .get(volume.member)
    .renameVolume(specOf(services, volume, from), specOf(services, volume, to), { signal });
  await records
    .transaction()
    .delete('volumeSnapshots', [...snapshotPrefix(volume), from], found.revision)
    .put('volumeSnapshots', [...snapshotPrefix(volume), to], { ...found.value, name: to })
    .commit({ signal });
}

export async function startSnapshotDelete(
  context: VolumesContext,
  found: Versioned<VolumeRecord>,
  snapshot: string,
  caller: Who,
): Promise<OperationView> {
  const { services } = context;
  const volume = found.value;
  findSnapshot(services, volume, snapshot);
  return services.operations.start({
    class: 'task',
    description: 'Deleting storage volume snapshot',
    project: volume.project,
    resources: snapshotResource(volume.name),
    run: async () => {
      await changing(context, found, { kind: 'snapshot-delete', detail: { snapshot } }, (signal) =>
        removeSnapshot(services, volume, snapshot, signal),
      );
      told(services, 'snapshot-deleted', volume, caller, { snapshot });
    },
  });
}

/** Idempotent. */
export async function removeSnapshot(
  services: Services,
  volume: VolumeRecord,
  snapshot: string,
  signal: AbortSignal,
): Promise<void> {
  await services.agents.get(volume.member).deleteVolume(specOf(services, volume, snapshot), { signal });
  await services.records
    .transaction()
    .remove('volumeSnapshots', [...snapshotPrefix(volume), snapshot])
    .commit({ signal });
}

/** What it is called, and until when it is kept. */
export async function updateSnapshot(
  services: Services,
  volume: VolumeRecord,
  found: Versioned<VolumeSnapshotRecord>,
  next: { description: string; expiresAt: string },
  caller: Who,
): Promise<void> {
  const id: [string, string, string, string, string] = [...snapshotPrefix(volume), found.value.name];
  await services.records
    .transaction()
    .update('volumeSnapshots', id, found.revision, { ...found.value, ...next })
    .commit({ signal: AbortSignal.timeout(30_000) });
  told(services, 'snapshot-updated', volume, caller, { snapshot: found.value.name });
}

/** @throws LxdError `not-found`, `internal` while an instance that has it runs */
export async function restoreVolume(
  context: VolumesContext,
  found: Versioned<VolumeRecord>,
  snapshot: string,
  caller: Who,
): Promise<void> {
  const { services } = context;
  const volume = found.value;
  findSnapshot(services, volume, snapshot);
  if (isRunningWith(services, volume))
    throw new LxdError('internal', 'Cannot restore custom volume used by running instances');
  await changing(
    context,
    found,
    { kind: 'restore', detail: { snapshot } },
    (signal) =>
      services.agents.get(volume.member).restoreVolume(specOf(services, volume), snapshot, { signal }),
    { given: AbortSignal.timeout(restoreMs) },
  );
  told(services, 'restored', volume, caller, { context: { snapshot } });
}
