import { LxdError, type NetworkSpec } from '@lxd-ts/core';
import type { NicNetworks } from '@lxd-ts/devices';
import type { Host } from '@lxd-ts/host';
import type { ManagedNetwork, NetworkDriver } from '@lxd-ts/network';
import type { CallOptions, Created, NetworkLease } from '@lxd-ts/rpc';
import { networkKey } from './context.ts';
import { KeyedLock } from './keyed-lock.ts';

/** This member's managed networks. */
export class Networks implements NicNetworks {
  readonly #drivers: readonly NetworkDriver[];
  readonly #context: { host: Host; dir: string };
  readonly #lock = new KeyedLock();

  constructor(drivers: readonly NetworkDriver[], context: { host: Host; dir: string }) {
    this.#drivers = drivers;
    this.#context = context;
  }

  get types(): string[] {
    return this.#drivers.map(({ type }) => type);
  }

  #open(network: NetworkSpec): ManagedNetwork {
    const driver = this.#drivers.find(({ type }) => type === network.type);
    if (!driver) throw new LxdError('invalid', `Network type "${network.type}" is not known here`);
    return driver.open(network, this.#context);
  }

  create(network: NetworkSpec, options: CallOptions): Promise<Created> {
    return this.#lock.run(networkKey(network), async () => {
      const config = await this.#open(network).complete(options);
      const complete = this.#open({ ...network, config });
      try {
        await complete.start(options);
      } catch (error) {
        await complete.delete({ signal: AbortSignal.timeout(10_000) }).catch(() => undefined);
        throw error;
      }
      return { config };
    });
  }

  start(network: NetworkSpec, options: CallOptions): Promise<void> {
    return this.#lock.run(networkKey(network), () => this.#open(network).start(options));
  }

  stop(network: NetworkSpec, options: CallOptions): Promise<void> {
    return this.#lock.run(networkKey(network), () => this.#open(network).stop(options));
  }

  update(before: NetworkSpec, after: NetworkSpec, options: CallOptions): Promise<void> {
    return this.#lock.run(networkKey(before), () => this.#open(before).update(after.config, options));
  }

  delete(network: NetworkSpec, options: CallOptions): Promise<void> {
    return this.#lock.run(networkKey(network), () => this.#open(network).delete(options));
  }

  leases(network: NetworkSpec, options: CallOptions): Promise<NetworkLease[]> {
    return this.#open(network).leases(options);
  }

  reserve: NicNetworks['reserve'] = (network, key, reservation, options) =>
    this.#lock.run(networkKey(network), () => this.#open(network).reserve(key, reservation, options));

  assign: NicNetworks['assign'] = (network, key, reservation, options) =>
    this.#lock.run(networkKey(network), () => this.#open(network).assign(key, reservation, options));

  release: NicNetworks['release'] = (network, key, options) =>
    this.#lock.run(networkKey(network), () => this.#open(network).release(key, options));
}
