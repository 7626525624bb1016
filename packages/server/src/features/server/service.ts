import { networkInterfaces } from 'node:os';
import { findKey, LxdError, toLxdError, type Config } from '@lxd-ts/core';
import { fingerprintOf, type MemberDescription } from '@lxd-ts/rpc';
import type { Caller, RequestContext } from '../../http/route.ts';
import type { Services } from '../../services.ts';
import { hashPassword } from '../certificates/password.ts';
import { memberAsked } from '../shared/members.ts';
import { apiExtensions } from './api-extensions.ts';
import { serverSchema, withPort } from './config-schema.ts';

export interface ServerOptions {
  version: string;
  /** PEM, that clients are shown. */
  certificate(): string;
  pid: number;
  clustered: boolean;
  /** `HOST:PORT` at which the cluster reaches it. */
  clusterAddress?: string;
  /** Absent: it is reached by its unix socket only. */
  network?: NetworkListener;
  /** What this machine is and has. */
  describe(): MemberDescription;
}

/** Listens for clients on the network. */
export interface NetworkListener {
  /** From now on there; '' : nowhere. @throws LxdError when that address cannot be had; nothing is changed then */
  listen(address: string): Promise<void>;
}

/** As clients send it. */
export type ServerConfig = Readonly<Record<string, string | boolean | number | null>>;

/** Nobody is told what it is. */
const secretKey = 'core.trust_password';

/** The host's own addresses under which one that listens everywhere is reached. */
function everywhere(port: string): string[] {
  return Object.values(networkInterfaces())
    .flatMap((addresses) => addresses ?? [])
    .filter(({ internal, address }) => !internal && !address.startsWith('fe80:'))
    .map(({ address, family }) => (family === 'IPv6' ? `[${address}]:${port}` : `${address}:${port}`));
}

export class ServerService {
  readonly #services: Services;
  readonly #options: ServerOptions;

  constructor(services: Services, options: ServerOptions) {
    this.#services = services;
    this.#options = options;
  }

  /** As it is on record, this member's own keys included. */
  get #stored(): Config {
    const { records, server } = this.#services;
    return {
      ...records.get('serverConfig')?.value.config,
      ...records.get('memberServerConfig', server)?.value.config,
    };
  }

  /** As clients see it: that there is a password, not which. */
  get config(): Record<string, string | boolean> {
    const stored = this.#stored;
    return stored[secretKey] === undefined ? stored : { ...stored, [secretKey]: true };
  }

  /** `HOST:PORT`s at which clients reach this server. */
  addresses(): string[] {
    const own = this.#stored['core.https_address'];
    const { clusterAddress = '' } = this.#options;
    const address = own ? withPort(own) : clusterAddress;
    if (address === '') return [];
    const [, host = '', port = ''] = /^(.*):(\d+)$/.exec(address) ?? [];
    return ['', '0.0.0.0', '[::]'].includes(host) ? everywhere(port) : [address];
  }

  /** Opens what is on record, after a start. */
  async listen(): Promise<void> {
    const address = this.#stored['core.https_address'];
    if (!address) return;
    await this.#options.network?.listen(withPort(address)).catch((error: unknown) =>
      this.#services.log.error('the server is not reached over the network', {
        error: toLxdError(error).message,
      }),
    );
  }

  /** LXD's `GET /1.0` for a caller it does not trust. */
  stranger(): Record<string, unknown> {
    return {
      api_extensions: apiExtensions,
      api_status: 'stable',
      api_version: '1.0',
      auth: 'untrusted',
      public: false,
      auth_methods: ['tls'],
    };
  }

  memberAsked(request: RequestContext): string {
    return memberAsked(this.#services, request);
  }

  /** LXD's `GET /1.0` for a trusted caller, about one member. */
  view(project: string, caller: Caller, member: string): Record<string, unknown> {
    const { version, certificate: shown, pid, clustered, describe } = this.#options;
    const certificate = shown();
    const { records, agents } = this.#services;
    const isOwn = member === this.#services.server;
    const host = (isOwn ? undefined : agents.description(member)) ?? describe();
    const drivers = [...new Set(records.list('pools').map(({ value }) => value.driver))].sort();
    const versionOf = (name: string) =>
      host.storageDrivers.find((driver) => driver.name === name)?.version ?? '';
    return {
      config: caller.projects ? null : this.config,
      api_extensions: apiExtensions,
      api_status: 'stable',
      api_version: '1.0',
      auth: 'trusted',
      public: false,
      auth_methods: ['tls'],
      environment: {
        addresses: isOwn ? this.addresses() : [records.get('members', member)?.value.address ?? ''],
        architectures: host.architectures,
        certificate,
        certificate_fingerprint: fingerprintOf(certificate),
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
        server_name: member,
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

  /**
   * @param wanted values that are no strings are those we show ourselves
   * @throws LxdError `invalid` for a key that is not known, or a value that is not right
   */
  async update(wanted: ServerConfig, caller: Caller, signal: AbortSignal): Promise<void> {
    const { records, server, events } = this.#services;
    const before = this.#stored;
    const set: Record<string, string> = {};
    for (const [key, given] of Object.entries(wanted)) {
      // Given back as it was shown: unchanged.
      const value = key === secretKey && given === true ? (before[key] ?? '') : String(given ?? '');
      const found = findKey(serverSchema, key);
      if (!found) throw new LxdError('invalid', `cannot set '${key}' to '${value}': unknown key`);
      if (value === '') continue;
      const wrong = found.check(value);
      if (wrong) throw new LxdError('invalid', `cannot set '${key}' to '${value}': ${wrong}`);
      const isNew = key === secretKey && value !== before[key];
      set[key] = isNew ? await hashPassword(value) : value;
    }
    const own = (key: string) => findKey(serverSchema, key)?.memberSpecific === true;
    const part = (mine: boolean): Config =>
      Object.fromEntries(Object.entries(set).filter(([key]) => own(key) === mine));
    const address = set['core.https_address'] ?? '';
    const former = before['core.https_address'] ?? '';
    const listen = (to: string) => this.#options.network?.listen(to && withPort(to));
    if (address !== former) await listen(address);
    try {
      const transaction = records.transaction();
      const shared = records.get('serverConfig');
      if (shared) transaction.update('serverConfig', [], shared.revision, { config: part(false) });
      else transaction.create('serverConfig', [], { config: part(false) });
      transaction.put('memberServerConfig', [server], { config: part(true) });
      await transaction.commit({ signal });
    } catch (error) {
      if (address !== former) await listen(former);
      throw error;
    }
    events.lifecycle({
      action: 'config-updated',
      source: '/1.0',
      project: 'default',
      requestor: { username: caller.username, protocol: caller.protocol },
    });
  }
}
