import { LxdError } from '@lxd-ts/core';
import type { VolumeRecord, Versioned } from '@lxd-ts/state';
import type { Services } from '../../services.ts';
import { changing, idOf, specOf, type VolumesContext } from './context.ts';
import { isRunningWith } from './references.ts';
import { snapshotPrefix, type NewVolume } from './service.ts';
import { removeSnapshot, snapshotsOf } from './snapshots.ts';

type Snapshots = NonNullable<NewVolume['snapshots']>;

/** What came, and what is there no more. */
export interface Refreshed {
  came: Snapshots;
  gone: readonly string[];
}

const second = (time: string): number => Math.floor(Date.parse(time) / 1000);

/** A snapshot of the same name that was taken at another time is another one. */
export const isSame = (
  a: { name: string; createdAt: string },
  b: { name: string; createdAt: string },
): boolean => a.name === b.name && second(a.createdAt) === second(b.createdAt);

/** Removes snapshots that are in the pool and not on record: what a refresh that was cut off brought. */
export async function dropUnrecorded(
  services: Services,
  volume: VolumeRecord,
  signal: AbortSignal,
): Promise<void> {
  const agent = services.agents.get(volume.member);
  const { pool } = specOf(services, volume);
  const known = new Set(snapshotsOf(services, volume).map(({ value }) => value.name));
  const found = (await agent.scanPool(pool, { signal })).find(
    ({ type, project, name }) => type === 'custom' && project === volume.project && name === volume.name,
  );
  for (const snapshot of found?.snapshots ?? [])
    if (!known.has(snapshot)) await agent.deleteVolume(specOf(services, volume, snapshot), { signal });
}

/**
 * The volume, which is there, is brought up to date by `bring`: it has its files afterwards, and the snapshots that it tells of.
 * Cut off, it has the files of before or of after, or without subvolumes some of either, and its snapshots are on record.
 * @throws LxdError `conflict`, `internal` while an instance that has it runs
 */
export async function refreshVolume(
  context: VolumesContext,
  found: Versioned<VolumeRecord>,
  bring: (volume: VolumeRecord, signal: AbortSignal) => Promise<Refreshed>,
  given: AbortSignal,
): Promise<void> {
  const { services } = context;
  const volume = found.value;
  if (isRunningWith(services, volume))
    throw new LxdError('internal', 'Cannot refresh custom volume used by running instances');
  await changing(
    context,
    found,
    { kind: 'refresh' },
    async (signal) => {
      const { came, gone } = await bring(volume, signal);
      const { pool, project, name, member } = volume;
      const transaction = services.records.transaction();
      const names = new Set(came.map((snapshot) => snapshot.name));
      // Another one may have come in its place: a key is written once.
      for (const snapshot of gone.filter((one) => !names.has(one)))
        transaction.remove('volumeSnapshots', [...snapshotPrefix(volume), snapshot]);
      for (const snapshot of came)
        transaction.put('volumeSnapshots', [...snapshotPrefix(volume), snapshot.name], {
          ...{ pool, project, volume: name, member },
          ...snapshot,
        });
      await transaction.commit({ signal });
    },
    { undo: (signal) => dropUnrecorded(services, volume, signal), given },
  );
}

/** From a volume, or a snapshot of one, of the same member. */
export async function bringLocal(
  services: Services,
  {
    from,
    snapshot,
    snapshots,
  }: {
    from: VolumeRecord;
    snapshot: string | undefined;
    /** Absent: those that are there stay. */
    snapshots: Snapshots | undefined;
  },
  to: VolumeRecord,
  signal: AbortSignal,
): Promise<Refreshed> {
  const there = snapshotsOf(services, to).map(({ value }) => value);
  // What goes, goes first: another one may have its name.
  for (const one of snapshots ? there : [])
    if (!snapshots?.some((its) => isSame(its, one))) await removeSnapshot(services, to, one.name, signal);
  const wanted = snapshots ?? [];
  const names = wanted.map(({ name }) => name);
  await services.agents
    .get(to.member)
    .copyVolume(specOf(services, from, snapshot), specOf(services, to), names, { signal });
  return { came: wanted.filter((its) => !there.some((one) => isSame(its, one))), gone: [] };
}

export const findTarget = (
  { records }: Services,
  place: Pick<VolumeRecord, 'pool' | 'project' | 'name' | 'member'>,
): Versioned<VolumeRecord> | undefined => records.get('volumes', ...idOf(place as VolumeRecord));
