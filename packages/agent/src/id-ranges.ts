import { freeIds, idmapFor, isolatedIds, type Config, type IdRange } from '@lxd-ts/core';

/** Host ids of the instances that run here with a range of their own: no two have the same. */
export class IdRanges {
  readonly #used = new Map<string, IdRange>();

  /**
   * The map for a start: where it was, unless somebody who runs has that.
   * @returns changes of the configuration
   * @throws LxdError `invalid` when there are no ids left
   */
  claim(id: string, config: Config): Record<string, string> {
    this.#used.delete(id);
    const size = isolatedIds(config);
    let base = 0;
    if (size !== undefined) {
      const given = config['security.idmap.base'];
      const last = Number(config['volatile.idmap.base'] ?? 0);
      const range = given ? { base: Number(given), size } : freeIds(size, [...this.#used.values()], last);
      this.#used.set(id, range);
      base = range.base;
    }
    return {
      'volatile.idmap.base': String(base),
      'volatile.idmap.next': JSON.stringify(idmapFor(config, base)),
    };
  }

  /** Of one that is met running. */
  adopt(id: string, config: Config): void {
    const size = isolatedIds(config);
    if (size !== undefined) this.#used.set(id, { base: Number(config['volatile.idmap.base'] ?? 0), size });
  }

  release(id: string): void {
    this.#used.delete(id);
  }
}
