/** What `admin init` sets up: the same document that `--preseed` reads and `--dump` writes. */
export interface Preseed {
  config?: Record<string, string>;
  networks?: PreseedNetwork[];
  storage_pools?: PreseedPool[];
  profiles?: PreseedProfile[];
  projects?: PreseedProject[];
  cluster?: PreseedCluster;
}

/** Begins a cluster (a name is enough), or joins one by a token or by address, certificate and password. */
export interface PreseedCluster {
  enabled: boolean;
  server_name?: string;
  server_address?: string;
  cluster_address?: string;
  cluster_certificate?: string;
  cluster_certificate_path?: string;
  cluster_password?: string;
  cluster_token?: string;
  member_config?: PreseedMemberConfig[];
}

/** An option of a pool or a network that is this member's own. */
export interface PreseedMemberConfig {
  entity: string;
  name: string;
  key: string;
  value?: string;
}

export interface PreseedNetwork {
  name: string;
  type?: string;
  project?: string;
  description?: string;
  config?: Record<string, string>;
}

export interface PreseedPool {
  name: string;
  driver: string;
  description?: string;
  config?: Record<string, string>;
}

export interface PreseedProfile {
  name: string;
  description?: string;
  config?: Record<string, string>;
  devices?: Record<string, Record<string, string>>;
}

export interface PreseedProject {
  name: string;
  description?: string;
  config?: Record<string, string>;
}

/** What the server has already, by name. */
export interface Existing {
  config: Record<string, string>;
  networks: Record<string, { description: string; config: Record<string, string> }>;
  pools: Record<string, { driver: string; description: string; config: Record<string, string> }>;
  profiles: Record<
    string,
    { description: string; config: Record<string, string>; devices: Record<string, Record<string, string>> }
  >;
  projects: Record<string, { description: string; config: Record<string, string> }>;
}

export interface PlannedRequest {
  method: 'POST' | 'PUT';
  path: string;
  body: Record<string, unknown>;
  query?: Record<string, string>;
}

const has = (record: Readonly<Record<string, unknown>>, name: string): boolean => Object.hasOwn(record, name);

/**
 * The requests that bring the server to what the document says: what is there is changed (keys it does not name stay),
 * the rest is created; in an order in which each finds what it needs.
 */
export function planRequests(preseed: Preseed, existing: Existing): PlannedRequest[] {
  const plan: PlannedRequest[] = [];
  if (preseed.config && Object.keys(preseed.config).length > 0) {
    plan.push({ method: 'PUT', path: '/1.0', body: { config: { ...existing.config, ...preseed.config } } });
  }
  for (const { name, description, config } of preseed.projects ?? []) {
    const found = existing.projects[name];
    plan.push(
      found
        ? {
            method: 'PUT',
            path: `/1.0/projects/${encodeURIComponent(name)}`,
            body: { description: description ?? found.description, config: { ...found.config, ...config } },
          }
        : {
            method: 'POST',
            path: '/1.0/projects',
            body: { name, description: description ?? '', config: config ?? {} },
          },
    );
  }
  for (const { name, driver, description, config } of preseed.storage_pools ?? []) {
    const found = existing.pools[name];
    plan.push(
      found
        ? {
            method: 'PUT',
            path: `/1.0/storage-pools/${encodeURIComponent(name)}`,
            body: { description: description ?? found.description, config: { ...found.config, ...config } },
          }
        : {
            method: 'POST',
            path: '/1.0/storage-pools',
            body: { name, driver, description: description ?? '', config: config ?? {} },
          },
    );
  }
  for (const { name, type, project = 'default', description, config } of preseed.networks ?? []) {
    const query = { project };
    const found = project === 'default' ? existing.networks[name] : undefined;
    plan.push(
      found
        ? {
            method: 'PUT',
            path: `/1.0/networks/${encodeURIComponent(name)}`,
            body: { description: description ?? found.description, config: { ...found.config, ...config } },
            query,
          }
        : {
            method: 'POST',
            path: '/1.0/networks',
            body: { name, ...(type ? { type } : {}), description: description ?? '', config: config ?? {} },
            query,
          },
    );
  }
  for (const { name, description, config, devices } of preseed.profiles ?? []) {
    if (!has(existing.profiles, name)) {
      plan.push({
        method: 'POST',
        path: '/1.0/profiles',
        body: { name, description: description ?? '', config: config ?? {}, devices: devices ?? {} },
      });
      continue;
    }
    const found = existing.profiles[name];
    const merged = { ...found?.devices };
    for (const [device, options] of Object.entries(devices ?? {}))
      merged[device] = { ...merged[device], ...options };
    plan.push({
      method: 'PUT',
      path: `/1.0/profiles/${encodeURIComponent(name)}`,
      body: {
        description: description ?? found?.description ?? '',
        config: { ...found?.config, ...config },
        devices: merged,
      },
    });
  }
  return plan;
}
