import { LxdError, toLxdError, validators, type Config, type ConfigSchema, findKey } from '@lxd-ts/core';
import type { MemberDescription } from '@lxd-ts/rpc';
import type { Caller } from '../../http/route.ts';
import type { Services } from '../../services.ts';
import { expiryAfter } from '../cluster/expiry.ts';
import { apiExtensions } from './api-extensions.ts';

export interface ServerOptions {
  version: string;
  /** PEM. */
  certificate: string;
  certificateFingerprint: string;
  pid: number;
  clustered: boolean;
  /** What this machine is and has. */
  describe(): MemberDescription;
}

const localOnly = {
  check: () => 'this server is reached by its unix socket only',
  description: 'Not served yet',
};

const offlineThreshold = (value: string): string | undefined =>
  !/^[+-]?\d+$/.test(value)
    ? 'invalid integer'
    : Number(value) > 10
      ? undefined
      : "Value must be greater than '10'";

const factor = (value: string): string | undefined =>
  /^\d+(\.\d+)?$/.test(value) && Number(value) > 0
    ? undefined
    : `"${value}" is not a factor; use a number such as 1.5`;

/** Keys of the server that have an effect, and those that clients ask for first. */
const schema: ConfigSchema = {
  'core.https_address': localOnly,
  'core.trust_password': localOnly,
  'cluster.join_token_expiry': {
    check: (value) => {
      try {
        expiryAfter(value, new Date(0));
        return undefined;
      } catch (error) {
        return toLxdError(error).message;
      }
    },
    description: 'How long a join token is good, such as `3H` or `1d`',
    default: '3H',
  },
  'cluster.offline_threshold': {
    check: offlineThreshold,
    description: 'Seconds of silence after which a member is offline',
    default: '20',
  },
  'scheduler.overcommit.cpu': {
    check: factor,
    description: 'CPUs given away per CPU there is',
    default: '1',
  },
  'scheduler.overcommit.memory': { check: factor, description: 'The same of memory', default: '1' },
  'scheduler.overcommit.disk': { check: factor, description: 'The same of room in pools', default: '1' },
  'user.*': { check: validators.any, description: 'Free for the user' },
};

export class ServerService {
  readonly #services: Services;
  readonly #options: ServerOptions;

  constructor(services: Services, options: ServerOptions) {
    this.#services = services;
    this.#options = options;
  }

  get config(): Config {
    return this.#services.records.get('serverConfig')?.value.config ?? {};
  }

  /** LXD's `GET /1.0` for a trusted caller. */
  view(project: string): Record<string, unknown> {
    const { version, certificate, certificateFingerprint, pid, clustered, describe } = this.#options;
    const { records, server } = this.#services;
    const host = describe();
    const drivers = [...new Set(records.list('pools').map(({ value }) => value.driver))].sort();
    const versionOf = (name: string) =>
      host.storageDrivers.find((driver) => driver.name === name)?.version ?? '';
    return {
      config: this.config,
      api_extensions: apiExtensions,
      api_status: 'stable',
      api_version: '1.0',
      auth: 'trusted',
      public: false,
      auth_methods: ['tls'],
      environment: {
        addresses: [],
        architectures: host.architectures,
        certificate,
        certificate_fingerprint: certificateFingerprint,
        driver: 'lxc',
        driver_version: host.lxcVersion,
        firewall: host.firewall,
        kernel: host.kernel.name,
        kernel_architecture: host.kernel.architecture,
        kernel_features: host.kernel.features,
        kernel_version: host.kernel.version,
        lxc_features: host.lxcFeatures,
        os_name: host.os.name,
        os_version: host.os.version,
        project,
        // Clients written for LXD look for its name before they go on.
        server: 'lxd',
        server_clustered: clustered,
        server_event_mode: 'full-mesh',
        server_name: server,
        server_pid: pid,
        server_version: version,
        storage: drivers.join(' | '),
        storage_version: drivers.map(versionOf).join(' | '),
        storage_supported_drivers: host.storageDrivers.map(({ name, version: of, remote }) => ({
          Name: name,
          Version: of,
          Remote: remote,
        })),
      },
    };
  }

  /** @throws LxdError `invalid` for a key that is not known */
  async update(config: Config, caller: Caller, signal: AbortSignal): Promise<void> {
    for (const [key, value] of Object.entries(config)) {
      const found = findKey(schema, key);
      if (!found) throw new LxdError('invalid', `cannot set '${key}' to '${value}': unknown key`);
      const wrong = value === '' ? undefined : found.check(value);
      if (wrong) throw new LxdError('invalid', `cannot set '${key}' to '${value}': ${wrong}`);
    }
    const set = Object.fromEntries(Object.entries(config).filter(([, value]) => value !== ''));
    const { records } = this.#services;
    const before = records.get('serverConfig');
    const transaction = records.transaction();
    if (before) transaction.update('serverConfig', [], before.revision, { config: set });
    else transaction.create('serverConfig', [], { config: set });
    await transaction.commit({ signal });
    this.#services.events.lifecycle({
      action: 'config-updated',
      source: '/1.0',
      project: 'default',
      requestor: { username: caller.username, protocol: caller.protocol },
    });
  }
}
