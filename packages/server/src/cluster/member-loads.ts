import type { PlacementRecord, Records } from '@lxd-ts/state';

/** What the instances of one member take together. Sizes in bytes. */
export interface Load {
  instances: number;
  cpus: number;
  memoryBytes: number;
  disk: Map<string, number>;
  labels: Map<string, number>;
  avoids: Map<string, number>;
}

const none = (): Load => ({
  instances: 0,
  cpus: 0,
  memoryBytes: 0,
  disk: new Map(),
  labels: new Map(),
  avoids: new Map(),
});

function add(sums: Map<string, number>, key: string, by: number): void {
  const sum = (sums.get(key) ?? 0) + by;
  if (sum === 0) sums.delete(key);
  else sums.set(key, sum);
}

/** @param sign 1 to put it there, -1 to take it away */
function count(load: Load, { reserved, labels = [], avoids = [] }: PlacementRecord, sign: 1 | -1): void {
  load.instances += sign;
  load.cpus += sign * (reserved?.cpus ?? 0);
  load.memoryBytes += sign * (reserved?.memoryBytes ?? 0);
  for (const [pool, bytes] of Object.entries(reserved?.disk ?? {})) add(load.disk, pool, sign * bytes);
  for (const label of labels) add(load.labels, label, sign);
  for (const label of avoids) add(load.avoids, label, sign);
}

const membersOf = ({ member, target }: PlacementRecord): string[] =>
  target === undefined || target === member ? [member] : [member, target];

type Id = readonly [project: string, name: string];

const keyOf = ([project, name]: Id): string => `${project}/${name}`;

/**
 * Sums of the placements on record, kept as they change: nothing that could be wrong after a crash. Placements that
 * this server is about to commit count already, so that it does not give the same room away twice.
 */
export class MemberLoads implements Disposable {
  readonly #loads = new Map<string, Load>();
  readonly #placements = new Map<string, PlacementRecord>();
  /** Member → keys of what is placed there. */
  readonly #held = new Map<string, Set<string>>();
  readonly #expected = new Map<string, PlacementRecord>();
  readonly #listening: Disposable;

  constructor(records: Records) {
    // Ids are not in the records, so what is there is read under the instances' names.
    for (const { value } of records.list('instances')) {
      const id = [value.project, value.name] as const;
      this.#changed(keyOf(id), records.get('placements', ...id)?.value);
    }
    this.#listening = records.onChange('placements', ([project = '', name = ''], value) =>
      this.#changed(keyOf([project, name]), value),
    );
  }

  #of(member: string): Load {
    let load = this.#loads.get(member);
    if (!load) this.#loads.set(member, (load = none()));
    return load;
  }

  #count(placement: PlacementRecord, sign: 1 | -1): void {
    for (const member of membersOf(placement)) count(this.#of(member), placement, sign);
  }

  #changed(key: string, value: PlacementRecord | undefined): void {
    if (value) this.#forget(key);
    const before = this.#placements.get(key);
    if (before) {
      this.#count(before, -1);
      this.#held.get(before.member)?.delete(key);
    }
    if (value) {
      this.#placements.set(key, value);
      this.#count(value, 1);
      const held = this.#held.get(value.member) ?? new Set();
      this.#held.set(value.member, held.add(key));
    } else this.#placements.delete(key);
  }

  #forget(key: string): void {
    const expected = this.#expected.get(key);
    if (!expected) return;
    this.#expected.delete(key);
    this.#count(expected, -1);
  }

  /** What is there, and is about to be there. Do not change it. */
  of(member: string): Load {
    return this.#of(member);
  }

  /** All that is placed on a member, in no order. */
  heldBy(member: string): [project: string, name: string][] {
    return [...(this.#held.get(member) ?? [])].map((key) => {
      const slash = key.indexOf('/');
      return [key.slice(0, slash), key.slice(slash + 1)];
    });
  }

  /** The same, as if this instance were nowhere. */
  without(id: Id): (member: string) => Load {
    const key = keyOf(id);
    const itself = [this.#placements.get(key), this.#expected.get(key)].filter((one) => one !== undefined);
    if (itself.length === 0) return (member) => this.#of(member);
    return (member) => {
      const load = this.#of(member);
      const here = itself.filter((placement) => membersOf(placement).includes(member));
      if (here.length === 0) return load;
      const { disk, labels, avoids, ...sums } = load;
      const copy = { ...sums, disk: new Map(disk), labels: new Map(labels), avoids: new Map(avoids) };
      for (const placement of here) count(copy, placement, -1);
      return copy;
    };
  }

  /** Counts a placement until it is on record, or until disposed. */
  expect(id: Id, placement: PlacementRecord): Disposable {
    const key = keyOf(id);
    this.#forget(key);
    this.#expected.set(key, placement);
    this.#count(placement, 1);
    return {
      [Symbol.dispose]: () => {
        if (this.#expected.get(key) === placement) this.#forget(key);
      },
    };
  }

  [Symbol.dispose](): void {
    this.#listening[Symbol.dispose]();
  }
}
