import type { InstanceSpec, PoolSpec, VolumeSpec } from '@lxd-ts/core';
import type { VolumeRef } from '@lxd-ts/storage';
import { rootPool } from '../context.ts';
import { volumeOf } from '../instance/paths.ts';
import { volumeKey } from '../migration/id-ranges.ts';

/** What a backup is of, and what LXD calls its parts. */
export interface BackupSubject {
  pool: PoolSpec;
  volume: VolumeRef;
  name: string;
  /** The volume is in `backup/<this>`, its snapshots in `backup/<that>`. */
  tree: 'container' | 'volume';
  snapshots: 'snapshots' | 'volume-snapshots';
  /** Of content type `block`. */
  block?: VolumeSpec['block'];
  /** Where its configuration says how its files are shifted. */
  idmapKey: string;
}

export const instanceSubject = (spec: InstanceSpec): BackupSubject => ({
  pool: rootPool(spec),
  volume: volumeOf(spec),
  name: spec.name,
  tree: 'container',
  snapshots: 'snapshots',
  idmapKey: 'volatile.last_state.idmap',
});

export const volumeSubject = ({ pool, project, name, block }: VolumeSpec): BackupSubject => ({
  pool,
  volume: { type: 'custom', project, name, ...(block ? { block: true } : {}) },
  name,
  tree: 'volume',
  snapshots: 'volume-snapshots',
  idmapKey: volumeKey,
  ...(block ? { block } : {}),
});
