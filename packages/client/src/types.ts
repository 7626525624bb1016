import type { Config, Devices } from '@lxd-ts/core';

/** The fields of LXD's answers that a client acts on. Answers carry more; it is kept when they are sent back. */
export interface Operation {
  id: string;
  class: 'task' | 'websocket' | 'token';
  description: string;
  created_at: string;
  updated_at: string;
  status: string;
  status_code: number;
  resources: Record<string, string[]> | null;
  metadata: Record<string, unknown> | null;
  may_cancel: boolean;
  err: string;
  location: string;
}

export interface InstancePut {
  architecture: string;
  config: Record<string, string>;
  devices: Record<string, Record<string, string>>;
  ephemeral: boolean;
  profiles: string[];
  stateful: boolean;
  description: string;
}

export interface Instance extends InstancePut {
  name: string;
  status: string;
  status_code: number;
  type: string;
  project: string;
  location: string;
  created_at: string;
  last_used_at: string;
  expanded_config: Config;
  expanded_devices: Devices;
}

export interface Address {
  family: string;
  address: string;
  netmask: string;
  scope: string;
}

export interface Counters {
  bytes_received: number;
  bytes_sent: number;
  packets_received: number;
  packets_sent: number;
}

export interface InstanceInterface {
  addresses: Address[] | null;
  counters: Counters;
  host_name: string;
  hwaddr: string;
  mtu: number;
  state: string;
  type: string;
}

export interface InstanceState {
  status: string;
  status_code: number;
  pid: number;
  processes: number;
  cpu: { usage: number };
  disk: Record<string, { usage: number }> | null;
  memory: { usage: number; usage_peak: number; swap_usage: number; swap_usage_peak: number };
  network: Record<string, InstanceInterface> | null;
}

export interface Snapshot {
  name: string;
  created_at: string;
  expires_at: string;
  stateful: boolean;
}

/** An instance listed with recursion 2. */
export interface InstanceFull extends Instance {
  state: InstanceState | null;
  snapshots: Snapshot[] | null;
}

export interface Image {
  fingerprint: string;
  aliases: { name: string; description: string }[] | null;
  architecture: string;
  auto_update: boolean;
  cached: boolean;
  created_at: string;
  expires_at: string;
  filename: string;
  last_used_at: string;
  profiles: string[] | null;
  properties: Record<string, string>;
  public: boolean;
  size: number;
  type: string;
  uploaded_at: string;
  update_source?: { server: string; protocol: string; alias: string };
}

export interface ImageAlias {
  name: string;
  description: string;
  target: string;
  type: string;
}

export interface Profile {
  name: string;
  description: string;
  config: Record<string, string>;
  devices: Record<string, Record<string, string>>;
  used_by: string[] | null;
}

export interface Network {
  name: string;
  description: string;
  type: string;
  managed: boolean;
  status: string;
  config: Record<string, string>;
  used_by: string[] | null;
  locations: string[] | null;
}

export interface NetworkState {
  addresses: Address[] | null;
  counters: Counters;
  hwaddr: string;
  mtu: number;
  state: string;
  type: string;
  bridge: {
    id: string;
    stp: boolean;
    forward_delay: number;
    vlan_default: number;
    vlan_filtering: boolean;
    upper_devices: string[] | null;
  } | null;
}

export interface Lease {
  hostname: string;
  hwaddr: string;
  address: string;
  type: string;
  location: string;
}

export interface StoragePool {
  name: string;
  description: string;
  driver: string;
  status: string;
  config: Record<string, string>;
  used_by: string[] | null;
  locations: string[] | null;
}

export interface StorageVolume {
  name: string;
  description: string;
  type: string;
  content_type: string;
  location: string;
  project: string;
  config: Record<string, string>;
  used_by: string[] | null;
}

export interface Server {
  config: Record<string, string>;
  api_extensions: string[];
  auth: string;
  environment: {
    server: string;
    server_version: string;
    server_name: string;
    server_clustered: boolean;
    server_pid: number;
    storage_supported_drivers?: { Name: string; Version: string; Remote: boolean }[];
    [key: string]: unknown;
  };
}

/** One message of `/1.0/events`. */
export interface ServerEvent {
  type: 'logging' | 'operation' | 'lifecycle' | (string & {});
  timestamp: string;
  metadata: Record<string, unknown>;
  location?: string;
  project?: string;
}

/** A client that the server trusts. */
export interface Certificate {
  name: string;
  type: string;
  restricted: boolean;
  projects: string[] | null;
  /** PEM. */
  certificate: string;
  fingerprint: string;
}

export interface ClusterMember {
  server_name: string;
  url: string;
  roles: string[] | null;
  failure_domain: string;
  description: string;
  config: Record<string, string> | null;
  groups: string[] | null;
  database: boolean;
  status: string;
  message: string;
  architecture: string;
}

export interface ClusterGroup {
  name: string;
  description: string;
  members?: string[] | null;
}

/** `/1.0/cluster`. */
export interface Cluster {
  server_name: string;
  enabled: boolean;
  /** What a server that joins has to say about itself. */
  member_config: MemberConfigKey[] | null;
}

export interface MemberConfigKey {
  entity: string;
  name: string;
  key: string;
  value: string;
  description: string;
}
