import type { Config, Undo } from '@lxd-ts/core';
import type { VolumeRef, WaitOptions } from '../driver.ts';

/** One thing that a store holds: a volume, or a snapshot of one. */
export interface StoredVolume {
  volume: VolumeRef;
  /** A snapshot that is part of its volume: it is renamed and goes with it. Others are things of their own. */
  within: boolean;
  /** An image that is not what new ones would be: its size or its filesystem has been configured anew. */
  stale?: boolean;
  /** What it is on cannot be written to at all. */
  readonly?: boolean;
  /** Of content type `block`: its device is there. */
  open?: boolean;
}

/** Volumes of content type `block`: listed, cloned, renamed and removed like the others, but nothing is mounted of them. */
export interface BlockStore {
  /** It reads zeros. @param bytes rounded up to what there can be */
  make(volume: VolumeRef, bytes: number, options: WaitOptions): Promise<void>;
  /** Has its device there, and tells where; there already: nothing done. */
  open(volume: StoredVolume, options: WaitOptions): Promise<string>;
  /** Takes back `open`, whatever of it was done. Gone already: nothing done. */
  close(volume: VolumeRef, options: WaitOptions): Promise<void>;
  /** Bytes. */
  size(volume: StoredVolume, options: WaitOptions): Promise<number>;
  /** @param bytes rounded up as in `make` @throws LxdError `internal` when it has more */
  grow(volume: StoredVolume, bytes: number, options: WaitOptions): Promise<void>;
}

/**
 * Where volumes are not directories but logical volumes, datasets or images of a cluster: what such a driver knows how to do,
 * one thing at a time. `StoredPool` makes a pool of it. Names of what is half made are those of volumes, with `.partial-`.
 */
export interface VolumeStore {
  /** In the names of what this member has half made, where others are at work, too: of images they may make the same. */
  readonly mine?: string;
  /** Options of the pool that cannot be others once it is there, besides where it is. */
  readonly fixed: readonly string[];

  /** @returns the pool's configuration with every default written down */
  create(undo: Undo, options: WaitOptions): Promise<Config>;
  /** There is something that `create` has made for this pool; not so when it refused, or was never called. */
  present(options: WaitOptions): Promise<boolean>;
  /** Whatever has to be there before volumes can be seen. */
  open(options: WaitOptions): Promise<void>;
  close(options: WaitOptions): Promise<void>;
  /** Removes what `create` has made, and what it left when it was cut off. */
  destroy(options: WaitOptions): Promise<void>;
  /** Something in the pool that is no volume of ours: it keeps the pool from being deleted. */
  foreign(options: WaitOptions): Promise<string | undefined>;
  /** Bytes. */
  space(options: WaitOptions): Promise<{ used: number; total: number }>;
  /** What no other process can be at work on may go: what a crash left. Absent: all that is partial. */
  abandoned?(volumes: readonly StoredVolume[], options: WaitOptions): Promise<readonly StoredVolume[]>;
  /** Parts of the dead that are kept for nobody any more. */
  prune?(options: WaitOptions): Promise<void>;

  /** Absent: it has none. */
  readonly blocks?: BlockStore;

  list(options: WaitOptions): Promise<StoredVolume[]>;
  /** Empty. @param like what will be copied to it: it gets the same size */
  make(volume: VolumeRef, like: StoredVolume | undefined, options: WaitOptions): Promise<void>;
  /** Whether `clone` is for these; else files are copied. */
  clones(from: VolumeRef, to: VolumeRef): boolean;
  clone(from: StoredVolume, to: VolumeRef, options: WaitOptions): Promise<void>;
  /** What makes a clone able to be mounted beside what it is of; absent: nothing has to be done. */
  settle?: ((clone: VolumeRef, options: WaitOptions) => Promise<void>) | undefined;
  /** Of the volume as it is, `within` it. Absent: a snapshot is a clone. */
  snapshot?(snapshot: VolumeRef, options: WaitOptions): Promise<void>;
  /** The volume becomes what its snapshot `within` it is, and keeps the others; false: it cannot be done without losing some. */
  rollback?(snapshot: VolumeRef, options: WaitOptions): Promise<boolean>;
  rename(from: StoredVolume, to: VolumeRef, options: WaitOptions): Promise<void>;
  remove(volume: StoredVolume, options: WaitOptions): Promise<void>;

  /** Mounts it, a snapshot for reading only. */
  attach(volume: StoredVolume, target: string, options: WaitOptions): Promise<void>;
  /** Takes back `attach`, whatever of it was done. */
  detach(volume: VolumeRef, target: string, options: WaitOptions): Promise<void>;

  /** Bytes. @param mounted where it is, if it is mounted */
  usage(volume: StoredVolume, mounted: string | undefined, options: WaitOptions): Promise<number | undefined>;
  /** @param use has it mounted meanwhile */
  limit(volume: StoredVolume, bytes: number | undefined, use: Mounted, options: WaitOptions): Promise<void>;
}

export interface Mounted {
  inUse: boolean;
  during<T>(work: (path: string) => Promise<T>): Promise<T>;
}
