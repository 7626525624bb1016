import { createHash } from 'node:crypto';
import type { PlaceRequest, MemberView, Snapshot, Amount } from '@lxd-ts/scheduler';
import type { MemberRecord } from '@lxd-ts/state';
import { poolSpec } from '../features/instances/spec.ts';
import type { Services } from '../services.ts';
import type { MemberLoads } from './member-loads.ts';

/** How long what a pool said of its room is good enough. */
const freshMs = 10_000;
const answerTimeoutMs = 3_000;

/** With so many members a few instances more or less on one do not matter. */
const largeCluster = 32;
const largeSlack = 4;

/** Member/pool → bytes in all, and bytes in use. */
type Rooms = ReadonlyMap<string, { total: number; used: number }>;

/** A question to the scheduler, and what is needed to see the members for it. */
export interface Asked {
  request: PlaceRequest;
  /** Members that run instances. */
  nodes: readonly string[];
  rooms: Rooms;
  /** The instance it is about: it does not stand in its own way. */
  except: readonly [project: string, name: string];
  image?: readonly [project: string, fingerprint: string];
}

/** The members as the scheduler sees them, from records, from what agents said, and from what is placed. */
export class MemberViews {
  readonly #services: Services;
  readonly #loads: MemberLoads;
  /** Member → server, as long as these are the servers. */
  #owners: { servers: string; of: Map<string, string> } = { servers: '', of: new Map() };
  readonly #rooms = new Map<
    string,
    { at: number; said: Promise<{ total: number; used: number } | undefined> }
  >();

  constructor(services: Services, loads: MemberLoads) {
    this.#services = services;
    this.#loads = loads;
  }

  groupExists(name: string): boolean {
    return name === 'default' || this.#services.records.get('groups', name) !== undefined;
  }

  #members(): MemberRecord[] {
    return this.#services.records.list('members').map(({ value }) => value);
  }

  /** Cluster-wide factors: how much more is given away than there is. */
  #overcommit(what: 'cpu' | 'memory' | 'disk'): number {
    const config = this.#services.records.get('serverConfig')?.value.config;
    return Number(config?.[`scheduler.overcommit.${what}`] ?? 1) || 1;
  }

  async #room(member: string, pool: string): Promise<{ total: number; used: number } | undefined> {
    const { records, agents, clock } = this.#services;
    const key = `${member}/${pool}`;
    const now = clock.now().getTime();
    const known = this.#rooms.get(key);
    if (known && now - known.at < freshMs) return known.said;
    const record = records.get('pools', pool)?.value;
    if (!record) return undefined;
    const said = (async () => {
      try {
        const options = { signal: AbortSignal.timeout(answerTimeoutMs) };
        return (await agents.get(member).poolUsage(poolSpec(record, member), options)).space;
      } catch {
        this.#rooms.delete(key);
        return undefined;
      }
    })();
    this.#rooms.set(key, { at: now, said });
    return said;
  }

  /** Asks those who could be chosen how much room their pools have; only for requests that set some aside. */
  async rooms(
    nodes: readonly MemberRecord[],
    { reserve, target }: PlaceRequest,
    signal: AbortSignal,
  ): Promise<Rooms> {
    const rooms = new Map<string, { total: number; used: number }>();
    const online = new Set(this.#services.agents.online());
    const concerned = nodes.filter(
      ({ name }) => online.has(name) && (!target || !('member' in target) || target.member === name),
    );
    await Promise.all(
      Object.keys(reserve.disk).flatMap((pool) =>
        concerned.map(async ({ name }) => {
          const room = await this.#room(name, pool);
          if (room) rooms.set(`${name}/${pool}`, room);
        }),
      ),
    );
    signal.throwIfAborted();
    return rooms;
  }

  /** @param active seen as online, whatever it is: for what is there already */
  snapshot(asked: Asked, active?: string): Snapshot {
    const { records, agents } = this.#services;
    const { request, nodes, image } = asked;
    const [cpu, memory, disk] = (['cpu', 'memory', 'disk'] as const).map((what) => this.#overcommit(what));
    const has = image && new Set(records.get('images', ...image)?.value.members);
    // Nearly always nobody is behind.
    const someOwe = records.list('arrears').length > 0;
    const owed = (member: string, of: 'pool' | 'network', project: string, name: string) =>
      someOwe && records.get('arrears', member, of, project, name)?.value.was === null;
    const [project] = asked.except;
    const pools = request.pools.map((name) =>
      presence(name, records.get('pools', name)?.value, (member) => owed(member, 'pool', '', name)),
    );
    const networks = request.networks.map((name) =>
      presence(name, records.get('networks', project, name)?.value, (member) =>
        owed(member, 'network', project, name),
      ),
    );
    const volumes = request.volumes.map((name): Presence => {
      const at = name.indexOf('/');
      const [pool, volume] = [name.slice(0, at), name.slice(at + 1)];
      return { name, on: (member) => records.get('volumes', pool, project, volume, member) !== undefined };
    });
    const present = (member: string, things: readonly Presence[]): string[] =>
      things.filter(({ on }) => on(member)).map(({ name }) => name);
    const many = (total: number, factor: number | undefined, reserved: number): Amount => ({
      total: Math.floor(total * (factor ?? 1)),
      reserved,
    });
    const views: MemberView[] = [];
    const members = this.#members();
    const wanted = new Set(nodes);
    const loadOf = this.#loads.without(asked.except);
    for (const member of members) {
      const { name } = member;
      if (!wanted.has(name)) continue;
      const said = agents.description(name);
      const load = loadOf(name);
      const amounts: Record<string, Amount> = {};
      for (const pool of Object.keys(request.reserve.disk)) {
        const room = asked.rooms.get(`${name}/${pool}`);
        // What is in use is not there to give away either, whoever uses it.
        if (room)
          amounts[pool] = many(
            room.total,
            disk,
            Math.max(load.disk.get(pool) ?? 0, (disk ?? 1) > 1 ? 0 : room.used),
          );
      }
      const state = agents.state(name);
      const { pending } = member;
      // One that is being restored takes its own back, and others.
      const evacuated =
        (member.state === 'Evacuated' && pending?.kind !== 'restore') || pending?.kind === 'delete';
      views.push({
        name,
        state:
          name === active
            ? 'online'
            : evacuated
              ? 'evacuated'
              : state === 'online' && !said
                ? 'unreachable'
                : state,
        accepts: name === active ? 'all' : acceptsOf(member),
        groups: member.groups,
        failureDomain: member.failureDomain,
        architectures: said?.architectures ?? [member.architecture],
        cpus: many(said?.cpus ?? 0, cpu, load.cpus),
        memory: many(said?.memoryBytes ?? 0, memory, load.memoryBytes),
        disk: amounts,
        pools: present(name, pools),
        networks: present(name, networks),
        volumes: present(name, volumes),
        hasImage: has?.has(name) ?? false,
        instances: load.instances,
        labels: load.labels,
        avoids: load.avoids,
      });
    }
    return { members: views };
  }

  /** The same for a decision of this server: others that decide at the same time had better not begin at the same place. */
  shared(asked: Asked): Snapshot {
    const { members } = this.snapshot(asked);
    const { server } = this.#services;
    const servers = this.#members()
      .filter(({ roles }) => roles.includes('control-plane'))
      .map(({ name }) => name);
    if (servers.length < 2 || !servers.includes(server)) return { members };
    const of = this.#ownersAmong(servers);
    return {
      members: members.map((view) => (of(view.name) === server ? view : { ...view, leftToOthers: true })),
      slack: members.length < largeCluster ? 1 : largeSlack,
    };
  }

  /** Who of these servers begins at a member. */
  #ownersAmong(servers: readonly string[]): (member: string) => string {
    const key = servers.join();
    if (this.#owners.servers !== key) this.#owners = { servers: key, of: new Map() };
    const { of } = this.#owners;
    return (member) => {
      let owner = of.get(member);
      if (owner === undefined) {
        const weight = (name: string) => createHash('sha256').update(`${name}/${member}`).digest('hex');
        owner = servers.reduce((best, name) => (weight(name) > weight(best) ? name : best));
        of.set(member, owner);
      }
      return owner;
    };
  }
}

const acceptsOf = ({ config }: MemberRecord): MemberView['accepts'] => {
  const value = config['scheduler.instance'];
  return value === 'manual' || value === 'group' ? value : 'all';
};

interface Presence {
  name: string;
  on(member: string): boolean;
}

/** Where a pool or network is. */
function presence(
  name: string,
  record: { status: string; memberConfig: Readonly<Record<string, unknown>> } | undefined,
  /** Whether a member has yet to make it. */
  isOwed: (member: string) => boolean,
): Presence {
  if (record?.status !== 'Created') return { name, on: () => false };
  const { memberConfig } = record;
  if (Object.keys(memberConfig).length === 0) return { name, on: () => true };
  return { name, on: (member) => Object.hasOwn(memberConfig, member) && !isOwed(member) };
}
