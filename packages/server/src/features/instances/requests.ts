import type { Config, Devices } from '@lxd-ts/core';

/** Bodies as LXD's clients send them; checked against the OpenAPI document before they get here. */
export interface InstancePut {
  architecture?: string;
  config?: Config | null;
  devices?: Devices | null;
  ephemeral?: boolean;
  profiles?: string[] | null;
  stateful?: boolean;
  description?: string;
  restore?: string;
}

export interface InstanceSourceBody {
  type?: string;
  alias?: string;
  fingerprint?: string;
  properties?: Record<string, string> | null;
  server?: string;
  protocol?: string;
  secret?: string;
  mode?: string;
  /** For a copy. */
  source?: string;
  project?: string;
  /** For a migration: where it comes from, when we go there. */
  operation?: string;
  secrets?: Record<string, string> | null;
  certificate?: string;
  'base-image'?: string;
  live?: boolean;
  refresh?: boolean;
  instance_only?: boolean;
  container_only?: boolean;
}

export interface InstanceSnapshotsPost {
  name?: string;
  stateful?: boolean;
  expires_at?: string | null;
}

export interface InstanceSnapshotPut {
  expires_at?: string | null;
}

export type InstanceSnapshotPost = Pick<InstancePost, 'name' | 'migration' | 'live' | 'target'>;

export interface InstancesPost extends InstancePut {
  name?: string;
  type?: string;
  instance_type?: string;
  source?: InstanceSourceBody;
}

export interface InstancePost {
  name?: string;
  migration?: boolean;
  live?: boolean;
  instance_only?: boolean;
  container_only?: boolean;
  /** Where a migration goes, when we go there. */
  target?: { operation?: string; secrets?: Record<string, string> | null; certificate?: string } | null;
  pool?: string;
  project?: string;
}

export interface InstanceStatePut {
  action?: string;
  timeout?: number;
  force?: boolean;
  stateful?: boolean;
}

export interface InstancesPut {
  state?: InstanceStatePut;
}

export interface InstanceExecPost {
  command?: string[] | null;
  'wait-for-websocket'?: boolean;
  interactive?: boolean;
  environment?: Config | null;
  width?: number;
  height?: number;
  'record-output'?: boolean;
  user?: number;
  group?: number;
  cwd?: string;
}

export interface InstanceConsolePost {
  width?: number;
  height?: number;
  type?: string;
}

export interface InstanceMetadataPut {
  architecture?: string;
  creation_date?: number;
  expiry_date?: number;
  properties?: Record<string, string>;
  templates?: Record<
    string,
    { when?: string[]; create_only?: boolean; template?: string; properties?: Record<string, string> }
  > | null;
}

export interface InstanceRebuildPost {
  source?: InstanceSourceBody;
}
