import type { Config } from '@lxd-ts/core';
import { balanceCpus, parseCpuList, type CpuWish, cpuWish } from './instance/cpus.ts';

export const cpuSetFile = 'cpuset.cpus';

interface CpuBalancerOptions {
  /** Those that run, e.g. `0-3`. */
  online(): Promise<string>;
  /** Of a running instance. */
  get(id: string): string | undefined;
  set(id: string, cpus: string): void;
  onFailure(id: string, error: unknown): void;
}

/**
 * Shares this host's CPUs out among the running instances that have `limits.cpu`. Whenever one comes, changes or goes,
 * those that are better off elsewhere are moved; the others are not touched.
 */
export class CpuBalancer {
  readonly #options: CpuBalancerOptions;
  readonly #wishes = new Map<string, CpuWish>();
  #now = new Map<string, readonly number[]>();

  constructor(options: CpuBalancerOptions) {
    this.#options = options;
  }

  /** What an instance that is being started gets; undefined: all. The others make room. */
  async add(id: string, config: Config): Promise<string | undefined> {
    const wish = cpuWish(config);
    if (wish === undefined) return undefined;
    this.#wishes.set(id, wish);
    await this.#balance(id);
    return this.#now.get(id)?.join(',');
  }

  /** Of an instance that runs: after a change of its configuration, or when it is met running. */
  async change(id: string, config: Config): Promise<void> {
    const wish = cpuWish(config);
    const known = this.#wishes.has(id);
    if (wish === undefined && !known) return;
    if (wish !== undefined) {
      this.#wishes.set(id, wish);
      // After a restart of the daemon it stays where it is.
      if (!known) this.#now.set(id, parseCpuList(this.#options.get(id) ?? ''));
      await this.#balance();
      return;
    }
    this.#wishes.delete(id);
    this.#options.set(id, await this.#online());
    await this.#balance();
  }

  async remove(id: string): Promise<void> {
    if (this.#wishes.delete(id)) await this.#balance();
  }

  async #online(): Promise<string> {
    return (await this.#options.online()).trim();
  }

  /** @param starting is told by its configuration */
  async #balance(starting?: string): Promise<void> {
    const online = parseCpuList(await this.#online());
    const next = balanceCpus(this.#wishes, online, this.#now);
    const before = this.#now;
    this.#now = next;
    for (const [id, cpus] of next) {
      if (id === starting || before.get(id)?.join() === cpus.join()) continue;
      try {
        this.#options.set(id, cpus.join(','));
      } catch (error) {
        this.#options.onFailure(id, error);
      }
    }
  }
}
