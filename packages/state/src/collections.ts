import type {
  BackupRecord,
  CertificateRecord,
  ArrearRecord,
  FenceRecord,
  GroupRecord,
  ImageAliasRecord,
  ImageRecord,
  ImageTokenRecord,
  ImageVolumeRecord,
  InstanceRecord,
  JoinTokenRecord,
  MemberRecord,
  MemberStatusRecord,
  NetworkRecord,
  OperationRecord,
  PlacementRecord,
  PoolRecord,
  ProfileRecord,
  ServerConfigRecord,
  SnapshotRecord,
  TrustTokenRecord,
  StatusRecord,
  VolumeBackupRecord,
  VolumeRecord,
  VolumeSnapshotRecord,
} from './records.ts';
import type { Guard } from './store.ts';

/** Every kind of record, and the parts of its key after the prefix. */
export interface Kinds {
  instances: { record: InstanceRecord; id: [project: string, name: string] };
  snapshots: { record: SnapshotRecord; id: [project: string, instance: string, name: string] };
  backups: { record: BackupRecord; id: [project: string, instance: string, name: string] };
  placements: { record: PlacementRecord; id: [project: string, name: string] };
  fences: { record: FenceRecord; id: [member: string] };
  statuses: { record: StatusRecord; id: [project: string, name: string] };
  profiles: { record: ProfileRecord; id: [project: string, name: string] };
  images: { record: ImageRecord; id: [project: string, fingerprint: string] };
  imageAliases: { record: ImageAliasRecord; id: [project: string, name: string] };
  pools: { record: PoolRecord; id: [name: string] };
  volumes: { record: VolumeRecord; id: [pool: string, project: string, name: string, member: string] };
  imageVolumes: { record: ImageVolumeRecord; id: [pool: string, fingerprint: string, member: string] };
  volumeSnapshots: {
    record: VolumeSnapshotRecord;
    id: [pool: string, project: string, volume: string, member: string, name: string];
  };
  volumeBackups: {
    record: VolumeBackupRecord;
    id: [pool: string, project: string, volume: string, member: string, name: string];
  };
  networks: { record: NetworkRecord; id: [project: string, name: string] };
  members: { record: MemberRecord; id: [name: string] };
  arrears: { record: ArrearRecord; id: [member: string, of: string, project: string, name: string] };
  memberStatuses: { record: MemberStatusRecord; id: [name: string] };
  groups: { record: GroupRecord; id: [name: string] };
  joinTokens: { record: JoinTokenRecord; id: [id: string] };
  certificates: { record: CertificateRecord; id: [fingerprint: string] };
  trustTokens: { record: TrustTokenRecord; id: [id: string] };
  imageTokens: { record: ImageTokenRecord; id: [id: string] };
  /** What holds on one member only. */
  memberServerConfig: { record: ServerConfigRecord; id: [member: string] };
  serverConfig: { record: ServerConfigRecord; id: [] };
  operations: { record: OperationRecord; id: [id: string] };
}

export type Kind = keyof Kinds;

export interface Versioned<T> {
  value: T;
  /** Guard for the next change. */
  revision: number;
}

/** Several changes as one guarded transaction. Every put and delete is guarded by the revision it names. */
export interface Transaction {
  /** Fails the commit when the record exists. */
  create<K extends Kind>(kind: K, id: Kinds[K]['id'], value: Kinds[K]['record']): this;
  /** Fails the commit when the record is not at this revision. */
  update<K extends Kind>(kind: K, id: Kinds[K]['id'], revision: number, value: Kinds[K]['record']): this;
  delete<K extends Kind>(kind: K, id: Kinds[K]['id'], revision: number): this;
  /** Unguarded: for records with a single writer (status). */
  put<K extends Kind>(kind: K, id: Kinds[K]['id'], value: Kinds[K]['record']): this;
  remove<K extends Kind>(kind: K, id: Kinds[K]['id']): this;
  /** Only a guard: the record must be at this revision (0: absent). */
  guard<K extends Kind>(kind: K, id: Kinds[K]['id'], revision: number): this;
  /**
   * Commits, and waits until the cache shows it.
   * @throws LxdError `precondition-failed` when a guard does not hold
   */
  commit(options: { signal: AbortSignal }): Promise<void>;
}

/** Typed records, read from the watch cache in memory (synchronously), written by guarded transactions. */
export interface Records {
  get<K extends Kind>(kind: K, ...id: Kinds[K]['id']): Versioned<Kinds[K]['record']> | undefined;
  /** Sorted by key; `prefix` narrows by the first parts of the id. Do not change what is returned. */
  list<K extends Kind>(kind: K, ...prefix: string[]): Versioned<Kinds[K]['record']>[];
  /** @param guards must hold besides: a leader's `guard`, so that nobody else can commit it. */
  transaction(...guards: Guard[]): Transaction;
  /**
   * Read, change, commit, again when another was faster (bounded). `change` returns the new record, or undefined to leave it.
   * @throws LxdError `not-found`
   */
  modify<K extends Kind>(
    kind: K,
    id: Kinds[K]['id'],
    change: (value: Kinds[K]['record']) => Kinds[K]['record'] | undefined,
    options: { signal: AbortSignal },
  ): Promise<void>;
  /** Hears of every change of a kind, in order, whoever made it. */
  onChange<K extends Kind>(
    kind: K,
    listener: (id: string[], value: Kinds[K]['record'] | undefined) => void,
  ): Disposable;
}
