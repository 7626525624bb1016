import { setTimeout as sleep } from 'node:timers/promises';
import { LxdError, type Config } from '@lxd-ts/core';
import { explain, place, type PlaceRequest } from '@lxd-ts/scheduler';
import type { MemberRecord, PlacementRecord, Transaction } from '@lxd-ts/state';
import { Lanes, type Turn } from '../../cluster/lanes.ts';
import { MemberLoads } from '../../cluster/member-loads.ts';
import { MemberViews, type Asked } from '../../cluster/member-views.ts';
import type { Services } from '../../services.ts';
import { expandIn } from './expand.ts';
import { placementRecord, placeRequest, takesMore } from './reservation.ts';

/** How long a member is waited for that has lost its connection, when no other can. */
const reconnectMs = 5_000;
const lookMs = 200;

/** Turns that may be lost to other servers, or to what comes free and goes again, before it is given up. */
const maxAttempts = 20;

/** An instance that is to be placed, or to take more where it is. */
export interface Want {
  project: string;
  name: string;
  config: Config;
  devices: Record<string, Config>;
  profiles: string[];
  /** Empty: that of the member. */
  architecture: string;
  /** Its image is there already on some. */
  fingerprint?: string | undefined;
  /** `?target=`: a member, or a group as `@group`. */
  target?: string | undefined;
}

/** A decision. Until it is disposed the room counts as taken, and nobody else of this server decides on the same room. */
export interface Choice extends Disposable {
  member: string;
  /** To be put on record in the transaction that `stake` is called with. */
  placement: PlacementRecord;
  /** Makes the commit fail with `precondition-failed` when another server took room there meanwhile: then choose again. */
  stake(transaction: Transaction): void;
}

const targetOf = (target: string | undefined): PlaceRequest['target'] =>
  target === undefined || target === ''
    ? undefined
    : target.startsWith('@')
      ? { group: target.slice(1) }
      : { member: target };

/** Decides where instances go. */
export class Placer implements Disposable {
  readonly #services: Services;
  readonly #lanes = new Lanes();
  readonly loads: MemberLoads;
  readonly views: MemberViews;

  constructor(services: Services) {
    this.#services = services;
    this.loads = new MemberLoads(services.records);
    this.views = new MemberViews(services, this.loads);
  }

  #nodes(): MemberRecord[] {
    return this.#services.records
      .list('members')
      .map(({ value }) => value)
      .filter(({ roles }) => roles.includes('node'));
  }

  /** @throws LxdError `not-found` for a member, `invalid` for a group that is not there, as LXD */
  checkTarget(text: string | undefined): PlaceRequest['target'] {
    const target = targetOf(text);
    if (target && 'member' in target && !this.#nodes().some(({ name }) => name === target.member))
      throw new LxdError('not-found', 'Cluster member not found');
    if (target && 'group' in target && !this.views.groupExists(target.group))
      throw new LxdError('invalid', `Cluster group "${target.group}" doesn't exist`);
    return target;
  }

  /** What is asked of a member, as the scheduler is asked it. */
  async ask(want: Want, signal: AbortSignal): Promise<Asked> {
    const { server, records } = this.#services;
    const nodes = this.#nodes();
    const target = this.checkTarget(want.target);
    const here = records.get('members', server)?.value.architecture ?? '';
    const architecture = want.architecture || here || (nodes[0]?.architecture ?? '');
    const request = placeRequest(expandIn(this.#services, want.project, want), architecture, target);
    const rooms = await this.views.rooms(nodes, request, signal);
    return {
      request,
      nodes: nodes.map(({ name }) => name),
      rooms,
      except: [want.project, want.name],
      ...(want.fingerprint === undefined
        ? {}
        : { image: [want.project, want.fingerprint] as [string, string] }),
    };
  }

  /** @throws LxdError `not-found`, `unavailable` when no member can take it, with the reasons */
  async choose(want: Want, signal: AbortSignal): Promise<Choice> {
    const nodes = this.#nodes();
    const [only] = nodes;
    if (only && nodes.length === 1 && this.#services.agents.online().includes(only.name))
      return this.#alone(want, only);
    const target = this.checkTarget(want.target);
    const wanted = target && 'member' in target && nodes.find(({ name }) => name === target.member);
    if (wanted && wanted.state === 'Evacuated' && wanted.pending?.kind !== 'restore')
      throw new LxdError('invalid', 'Cluster member is evacuated');
    const asked = await this.ask(want, signal);
    const patience = performance.now() + reconnectMs;
    for (let attempt = 0; attempt < maxAttempts; attempt++) {
      const snapshot = this.views.shared(asked);
      const placed = place(asked.request, snapshot);
      if (!('member' in placed)) {
        // Who lost its connection a moment ago will be back the next.
        const lost = snapshot.members.some(({ state }) => state === 'unreachable');
        if (!lost || performance.now() > patience) throw new LxdError('unavailable', explain(placed.reasons));
        await sleep(lookMs, undefined, { signal });
        attempt--;
        continue;
      }
      const choice = await this.#take(want, asked, placed.member, signal);
      if (choice) return choice;
    }
    throw new LxdError('unavailable', 'Placing the instance was given up: other servers take the room first');
  }

  /**
   * An instance that stays where it is takes what it now wants there.
   * @throws LxdError `invalid` when that is not there
   */
  async extend(want: Want, member: string, signal: AbortSignal): Promise<Choice> {
    const placement = placementRecord(expandIn(this.#services, want.project, want), member);
    const before = this.#services.records.get('placements', want.project, want.name)?.value;
    if (this.#nodes().length === 1 || !takesMore(before, placement))
      return { member, placement, stake: () => undefined, [Symbol.dispose]: () => undefined };
    const { request, ...asked } = await this.ask({ ...want, target: member, architecture: '' }, signal);
    const wanted: Asked = {
      ...asked,
      request: { ...request, architecture: '', pools: [], networks: [], volumes: [] },
    };
    const choice = await this.#take(want, wanted, member, signal, 'stays');
    if (choice) return choice;
    const placed = place(wanted.request, this.views.snapshot(wanted, member));
    const reason = 'reasons' in placed ? placed.reasons[member] : undefined;
    throw new LxdError(
      'invalid',
      `Cluster member "${member}" ${reason ?? 'is changed by others; try again'}`,
    );
  }

  /** One machine takes what it is given, as LXD does. */
  #alone({ architecture, ...want }: Want, { name, architecture: native }: MemberRecord): Choice {
    this.checkTarget(want.target);
    if (architecture && architecture !== native) {
      if (!this.#services.agents.description(name)?.architectures.includes(architecture))
        throw new LxdError('invalid', "Requested architecture isn't supported by this host");
    }
    const placement = placementRecord(expandIn(this.#services, want.project, want), name);
    return { member: name, placement, stake: () => undefined, [Symbol.dispose]: () => undefined };
  }

  /** Waits for the turn at the member and looks again; undefined: it cannot any more. */
  async #take(
    want: Want,
    asked: Asked,
    member: string,
    signal: AbortSignal,
    stays?: 'stays',
  ): Promise<Choice | undefined> {
    const { records, server } = this.#services;
    const id = [want.project, want.name] as const;
    const placement = placementRecord(expandIn(this.#services, want.project, want), member);
    const before = records.get('placements', ...id)?.value;
    const fenced = takesMore(before, placement);
    const held = new DisposableStack();
    if (!stays) held.use(this.loads.expect(id, placement));
    try {
      if (fenced) {
        const turn: Turn = await this.#lanes.enter(member, signal);
        held.use(turn);
        const target = { ...asked.request, target: { member } };
        // Who is wanted near may be anywhere; all else is said by the member itself.
        const nodes = target.affinity.length > 0 ? asked.nodes : [member];
        const again = this.views.snapshot({ ...asked, nodes, request: target }, stays ? member : undefined);
        if (!('member' in place(target, again))) {
          held.dispose();
          return undefined;
        }
      }
    } catch (error) {
      held.dispose();
      throw error;
    }
    const fence = records.get('fences', member);
    const seen = stays ? undefined : records.get('members', member);
    return {
      member,
      placement,
      stake: (transaction) => {
        // It may be on its way out by now.
        if (seen) transaction.guard('members', [member], seen.revision);
        if (!fenced) return;
        if (fence) transaction.update('fences', [member], fence.revision, { by: server });
        else transaction.create('fences', [member], { by: server });
      },
      [Symbol.dispose]: () => held.dispose(),
    };
  }

  [Symbol.dispose](): void {
    this.loads[Symbol.dispose]();
  }
}
