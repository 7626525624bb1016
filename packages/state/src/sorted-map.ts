/** A map kept in the order of its keys. A lookup is a hash, a change a binary search, a listing one slice. */
export class SortedMap<V> {
  readonly #byKey = new Map<string, V>();
  readonly #keys: string[] = [];
  readonly #values: V[] = [];

  get(key: string): V | undefined {
    return this.#byKey.get(key);
  }

  keys(): readonly string[] {
    return this.#keys;
  }

  set(key: string, value: V): void {
    const at = this.#indexOf(key);
    if (this.#byKey.has(key)) {
      this.#values[at] = value;
    } else {
      this.#keys.splice(at, 0, key);
      this.#values.splice(at, 0, value);
    }
    this.#byKey.set(key, value);
  }

  delete(key: string): boolean {
    if (!this.#byKey.delete(key)) return false;
    const at = this.#indexOf(key);
    this.#keys.splice(at, 1);
    this.#values.splice(at, 1);
    return true;
  }

  /** Values of all keys with this prefix (ASCII), in order. */
  withPrefix(prefix: string): V[] {
    return this.#values.slice(this.#indexOf(prefix), this.#indexOf(`${prefix}\u{7f}`));
  }

  /** Of the first key that is not before this one. */
  #indexOf(key: string): number {
    let low = 0;
    let high = this.#keys.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#keys[middle] as string) < key) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
