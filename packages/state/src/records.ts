import type { Config, Devices, InstanceStatus, NetworkSpec, PoolSpec } from '@lxd-ts/core';

/** An operation that must finish or be rolled back before the record is usable; recovery looks for it. */
export interface Pending {
  kind:
    | 'create'
    | 'delete'
    | 'rename'
    | 'update'
    /** Of instances: what their snapshots, and their files in other places, are made into. */
    | 'snapshot'
    | 'snapshot-rename'
    | 'snapshot-delete'
    | 'restore'
    | 'refresh'
    | 'rebuild'
    | 'move';
  operation: string;
  /** Of the API server that does it. */
  server: string;
  /** For `rename`: the new name; for `create`: how it was to be filled. */
  detail?: Record<string, string>;
}

/** What the user asked for. Placement and observed status have keys of their own. Times are ISO 8601. */
export interface InstanceRecord {
  project: string;
  name: string;
  type: 'container';
  architecture: string;
  description: string;
  ephemeral: boolean;
  stateful: boolean;
  /** Local, `volatile.*` and `image.*` included. */
  config: Config;
  /** Local. */
  devices: Devices;
  profiles: string[];
  createdAt: string;
  lastUsedAt: string;
  pending?: Pending;
}

/** What an instance was when it was taken. It is there only when its files are whole. Times are ISO 8601; '': none. */
export interface SnapshotRecord {
  project: string;
  instance: string;
  name: string;
  architecture: string;
  ephemeral: boolean;
  stateful: boolean;
  /** Local, as the instance had them. */
  config: Config;
  devices: Devices;
  profiles: string[];
  createdAt: string;
  lastUsedAt: string;
  expiresAt: string;
}

/** A backup of an instance, one file on a member. Times are ISO 8601; '': none. */
export interface BackupRecord {
  project: string;
  instance: string;
  name: string;
  /** Names the file. */
  id: string;
  /** That has the file. */
  member: string;
  createdAt: string;
  expiresAt: string;
  instanceOnly: boolean;
  optimized: boolean;
  /** While it is made. */
  pending?: Pick<Pending, 'operation' | 'server'>;
}

/** The same of a custom volume. */
export interface VolumeBackupRecord {
  pool: string;
  project: string;
  volume: string;
  /** That has the volume and the file. */
  member: string;
  name: string;
  /** Names the file. */
  id: string;
  createdAt: string;
  expiresAt: string;
  volumeOnly: boolean;
  optimized: boolean;
  /** While it is made. */
  pending?: Pick<Pending, 'operation' | 'server'>;
}

/** Where an instance is; the sums per member are made from these. */
export interface PlacementRecord {
  member: string;
  /** While it is being moved: where it will be. What is set aside for it counts there too. */
  target?: string;
  /** What is set aside for it there, sizes in bytes; absent: nothing. */
  reserved?: { cpus: number; memoryBytes: number; disk: Record<string, number> };
  /** Absent: none. */
  labels?: string[];
  /** Labels that it will not be beside; absent: none. */
  avoids?: string[];
}

/** Changed by whatever takes room on a member: of two that looked at the same room only one can be committed. */
export interface FenceRecord {
  /** API server that changed it last. */
  by: string;
}

/** Written by the control plane from what agents observe, in batches. */
export interface StatusRecord {
  status: InstanceStatus;
  /** Of init on its host; 0 when not running. */
  pid: number;
  /** Why it is in `Error`. */
  message?: string;
}

export interface ProfileRecord {
  project: string;
  name: string;
  description: string;
  config: Config;
  devices: Devices;
}

export interface ImageRecord {
  project: string;
  /** SHA-256 of the file, or of metadata followed by rootfs for a split image. */
  fingerprint: string;
  filename: string;
  /** Bytes. */
  size: number;
  architecture: string;
  type: 'container';
  public: boolean;
  autoUpdate: boolean;
  cached: boolean;
  properties: Config;
  profiles: string[];
  createdAt: string;
  expiresAt: string;
  lastUsedAt: string;
  uploadedAt: string;
  /** Its files, in the order of the fingerprint. Not known of some that are from older versions. */
  files?: {
    kind: 'unified' | 'metadata' | 'rootfs' | 'manifest' | 'blob';
    size: number;
    sha256: string;
    squashfs: boolean;
  }[];
  /** Of one of an OCI registry, or made of such an instance: the configuration that its instances begin with. */
  oci?: Config;
  /** Where a newer one is looked for. */
  source?: {
    server: string;
    protocol: 'lxd' | 'simplestreams' | 'oci';
    certificate: string;
    alias: string;
    /** Of a registry, `USER:PASSWORD`: never shown. */
    secret?: string;
  };
  /** Members that hold its files. */
  members: string[];
}

export interface ImageAliasRecord {
  project: string;
  name: string;
  description: string;
  target: string;
  type: 'container';
}

export interface PoolRecord {
  name: string;
  driver: string;
  description: string;
  status: 'Pending' | 'Created' | 'Errored';
  /** Cluster-wide options. */
  config: Config;
  /** Member → its own options. */
  memberConfig: Record<string, Config>;
  pending?: Pending;
}

/** A custom volume: on one member, which may have another of the same name. Times are ISO 8601. */
export interface VolumeRecord {
  pool: string;
  project: string;
  name: string;
  member: string;
  /** Absent: `filesystem`. */
  contentType?: 'block';
  description: string;
  config: Config;
  createdAt: string;
  pending?: Pending;
}

/** An image that is unpacked in a pool of a member. */
export interface ImageVolumeRecord {
  pool: string;
  fingerprint: string;
  member: string;
  description: string;
}

/** It is there only when its files are whole. Times are ISO 8601; '': none. */
export interface VolumeSnapshotRecord {
  pool: string;
  project: string;
  volume: string;
  member: string;
  name: string;
  description: string;
  config: Config;
  createdAt: string;
  expiresAt: string;
}

/**
 * What a member has yet to do to a pool or network because it was not there when the rest did it: what it has must become
 * what the record says, or go when there is none.
 */
export interface ArrearRecord {
  member: string;
  of: 'pool' | 'network';
  /** Of a network. */
  project: string;
  name: string;
  /** As the member has it; null: it has none. */
  was: PoolSpec | NetworkSpec | null;
  /** That one was deleted; another may have its name by now. */
  gone?: true;
  /** The API server that has the member do it now. */
  by?: string;
}

export interface NetworkRecord {
  project: string;
  name: string;
  type: string;
  description: string;
  status: 'Pending' | 'Created' | 'Errored';
  config: Config;
  memberConfig: Record<string, Config>;
  pending?: Pending;
}

/** `control-plane`: it has a vote in etcd. The last two are for clients; nothing here depends on them. */
export type MemberRole = 'control-plane' | 'node' | 'event-hub' | 'ovn-chassis';

export interface MemberRecord {
  name: string;
  roles: MemberRole[];
  /** `HOST:PORT` by which others reach it; '' outside clusters. */
  address: string;
  architecture: string;
  /** Fingerprint of its certificate. */
  certificate: string;
  joinedAt: string;
  failureDomain: string;
  /** Sorted. */
  groups: string[];
  description: string;
  /** `scheduler.instance`, `user.*`. */
  config: Config;
  /** It may be of the control plane. */
  eligible: boolean;
  /** `Evacuated`: nothing new is placed on it. */
  state: 'Active' | 'Evacuated';
  pending?: Omit<Pending, 'kind'> & { kind: 'rename' | 'delete' | 'evacuate' | 'restore' };
}

/** A new member, and what it has until somebody says otherwise. */
export const newMember = (
  member: Pick<MemberRecord, 'name' | 'roles'> & Partial<MemberRecord>,
): MemberRecord => ({
  address: '',
  architecture: '',
  certificate: '',
  joinedAt: '',
  failureDomain: 'default',
  groups: ['default'],
  description: '',
  config: {},
  eligible: true,
  state: 'Active',
  ...member,
});

/** What the control plane has found out of a member. Kept apart from what is wanted of it. */
export interface MemberStatusRecord {
  name: string;
  /** As the leader sees it. */
  state: 'online' | 'offline';
  /** ISO 8601: since when. */
  since: string;
  /** Of the agent's process that was last seen: what should run has been started after this start of it. */
  run?: string;
  /** API server that is starting what should run. */
  starting?: string;
}

/** A set of members. Who is in it is said by the members. `default` is there without a record. */
export interface GroupRecord {
  name: string;
  description: string;
}

/** Lets one machine join once. */
export interface JoinTokenRecord {
  /** Of the operation that shows it. */
  id: string;
  /** Name of the member to be. */
  member: string;
  /** SHA-256 of the secret, hexadecimal. */
  secretHash: string;
  createdAt: string;
  expiresAt: string;
  /** The API server that gave it out: a token ends with it, as its operation does. */
  server: string;
}

/** Somebody who may use the API over the network. */
export interface CertificateRecord {
  /** SHA-256 of the certificate. */
  fingerprint: string;
  type: 'client' | 'metrics' | 'server';
  name: string;
  /** PEM. */
  certificate: string;
  /** Only these projects, and nothing that concerns the server. */
  restricted: boolean;
  projects: string[];
}

/** Lets one client into the trust store, once. */
export interface TrustTokenRecord {
  id: string;
  /** Of the client to be. */
  name: string;
  restricted: boolean;
  projects: string[];
  /** SHA-256 of the secret, hexadecimal. */
  secretHash: string;
  createdAt: string;
  /** Empty: it does not expire. */
  expiresAt: string;
  /** The API server that gave it out. */
  server: string;
}

/** Lets another server fetch an image, or send one, for a while. */
export interface ImageTokenRecord {
  /** Of the operation that shows it. */
  id: string;
  kind: 'download' | 'upload';
  project: string;
  fingerprint: string;
  /** SHA-256 of the secret, hexadecimal. */
  secretHash: string;
  expiresAt: string;
  /** The API server that gave it out. */
  server: string;
  /** Of `upload`: what the image is to be. */
  image?: Pick<ImageRecord, 'public' | 'autoUpdate' | 'properties'> & {
    aliases: { name: string; description: string }[];
  };
}

export interface ServerConfigRecord {
  config: Config;
}

export interface OperationRecord {
  id: string;
  class: 'task' | 'websocket' | 'token';
  description: string;
  project: string;
  status: 'Pending' | 'Running' | 'Cancelling' | 'Success' | 'Failure' | 'Cancelled';
  createdAt: string;
  updatedAt: string;
  /** Kind (`instances`) → REST paths. */
  resources: Record<string, string[]>;
  metadata: Record<string, unknown> | null;
  mayCancel: boolean;
  error: string;
  /** The API server that runs it. */
  server: string;
}
