/** A volume that is in a pool, whether or not anybody knows of it. */
export interface FoundVolume {
  type: 'container' | 'custom';
  project: string;
  name: string;
  /** Names of its snapshots, sorted. */
  snapshots: string[];
  /** A custom one of content type `block`. */
  block?: true;
  /** Of an instance: what `backup.yaml` beside its root says, not checked. */
  description?: unknown;
  /** Why there is no such description. */
  problem?: string;
}

/** Files of an instance, or of one of its snapshots, that are kept with other ids than those inside. */
export interface ShiftedFiles {
  /** Absent: the instance itself. */
  snapshot?: string;
  /** As LXD's `volatile.last_state.idmap`. */
  idmap: string;
}
