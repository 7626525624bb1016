import type { Config } from '@lxd-ts/core';
import type { Records } from '@lxd-ts/state';

const addressesOf = (config: Config): string[] =>
  Object.keys(config)
    .filter((key) => key.endsWith('.hwaddr'))
    .map((key) => config[key] ?? '');

/** The MAC addresses that instances have, kept as they change: asking does not go through all instances. */
export class Hwaddrs implements Disposable {
  readonly #counts = new Map<string, number>();
  readonly #of = new Map<string, string[]>();
  readonly #listening: Disposable;

  constructor(records: Records) {
    for (const { value } of records.list('instances'))
      this.#changed(`${value.project}/${value.name}`, value.config);
    this.#listening = records.onChange('instances', (id, value) =>
      this.#changed(id.join('/'), value?.config),
    );
  }

  #changed(id: string, config: Config | undefined): void {
    for (const address of this.#of.get(id) ?? []) {
      const count = (this.#counts.get(address) ?? 0) - 1;
      if (count > 0) this.#counts.set(address, count);
      else this.#counts.delete(address);
    }
    const addresses = config ? addressesOf(config) : [];
    if (addresses.length > 0) this.#of.set(id, addresses);
    else this.#of.delete(id);
    for (const address of addresses) this.#counts.set(address, (this.#counts.get(address) ?? 0) + 1);
  }

  isTaken(address: string): boolean {
    return this.#counts.has(address);
  }

  [Symbol.dispose](): void {
    this.#listening[Symbol.dispose]();
  }
}
