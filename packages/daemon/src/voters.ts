import { toLxdError } from '@lxd-ts/core';
import { splitAddress, type Agent, type MembershipChange } from '@lxd-ts/rpc';
import type { Duty, Logger, Term } from '@lxd-ts/server';
import {
  planVoters,
  type EtcdMembers,
  type MemberRecord,
  type Records,
  type VoterCandidate,
  type VoterStep,
} from '@lxd-ts/state';

const everyMs = 1_000;
const defaultMost = 3;
const callTimeoutMs = 30_000;

/** Where a member's etcd is reached by the others: beside its own port. */
export function peerUrl(address: string): string {
  const { host, port } = splitAddress(address);
  return `https://${host.includes(':') ? `[${host}]` : host}:${port + 1}`;
}

export interface VotersOptions {
  records: Records;
  members: EtcdMembers;
  agents: {
    get(member: string): Agent;
    state(member: string): 'online' | 'unreachable' | 'offline';
  };
  /** Of this member. */
  address: string;
  /** What a member of the control plane needs, beside its etcd. */
  credentials(): Promise<Omit<Extract<MembershipChange, { kind: 'promote' }>, 'kind' | 'etcd'>>;
  /** How long a member may be offline before another takes its vote. */
  lostAfterMs: number;
  log: Logger;
  clock: { now(): Date };
}

/**
 * Keeps the right number of members in the control plane. A member's role on record says whether it should be: it is
 * given before its etcd is added, and taken before that is removed. One step at a time, each of them again and again
 * until it is done.
 */
export function votersDuty(options: VotersOptions): Duty {
  const { records, members, agents, address, log, clock } = options;

  const candidateOf = (record: MemberRecord): VoterCandidate => {
    const state = agents.state(record.name);
    const since = records.get('memberStatuses', record.name)?.value.since;
    const offlineMs = since === undefined ? 0 : clock.now().getTime() - new Date(since).getTime();
    const isLost = state === 'offline' && offlineMs > options.lostAfterMs;
    return {
      name: record.name,
      url: peerUrl(record.address),
      failureDomain: record.failureDomain,
      state: state === 'online' ? 'online' : isLost ? 'lost' : 'away',
      eligible: record.eligible,
    };
  };

  /** @returns the member as it is then */
  async function setRole(name: string, controls: boolean, { guard, signal }: Term): Promise<void> {
    const found = records.get('members', name);
    if (!found || found.value.roles.includes('control-plane') === controls) return;
    const others = found.value.roles.filter((role) => role !== 'control-plane');
    const roles = controls ? ['control-plane' as const, ...others] : others;
    await records
      .transaction(guard)
      .update('members', [name], found.revision, { ...found.value, roles })
      .commit({ signal });
  }

  const controlPlane = (): string[] =>
    records
      .list('members')
      .filter(({ value }) => value.roles.includes('control-plane'))
      .map(({ value }) => value.address);

  async function tell(name: string, change: MembershipChange): Promise<void> {
    await agents.get(name).membership(change, { signal: AbortSignal.timeout(callTimeoutMs) });
  }

  /** The etcd knows of it; now the member does, too. */
  async function start({ name, url }: VoterCandidate, signal: AbortSignal): Promise<void> {
    const all = await members.list({ signal });
    const etcd = Object.fromEntries(
      all.map((member) => [member.url === url ? name : member.name, member.url]),
    );
    await tell(name, { kind: 'promote', ...(await options.credentials()), etcd });
  }

  async function execute(step: VoterStep, term: Term): Promise<void> {
    const { signal } = term;
    switch (step.kind) {
      case 'add':
        await setRole(step.candidate.name, true, term);
        await members.addLearner(step.candidate.url, { signal });
        log.info('a member follows the control plane', { member: step.candidate.name });
        await start(step.candidate, signal);
        return;
      case 'start':
        await start(step.candidate, signal);
        return;
      case 'promote':
        if (await members.promote(step.id, { signal }))
          log.info('a member is of the control plane', { member: step.candidate.name });
        return;
      case 'remove': {
        const name = step.candidate?.name;
        if (name !== undefined) await setRole(name, false, term);
        await members.remove(step.id, { signal });
        log.info('a member is of the control plane no longer', { member: name });
        if (name === undefined) return;
        // Whoever is away learns it when it connects again.
        await tell(name, { kind: 'demote', controlPlane: controlPlane() }).catch((error: unknown) =>
          log.warn('a member was not told that it has no vote any more', {
            member: name,
            error: toLxdError(error).message,
          }),
        );
      }
    }
  }

  return {
    name: 'voters',
    everyMs,
    async run(term) {
      const all = records.list('members').map(({ value }) => value);
      // Without addresses there is nobody to reach.
      if (all.some((member) => member.address === '')) return;
      const etcds = await members.list(term);
      const config = records.get('serverConfig')?.value.config ?? {};
      const most = Number(config['cluster.max_voters'] ?? defaultMost);
      const step = planVoters(etcds, all.map(candidateOf), { most, own: peerUrl(address) });
      if (step) {
        await execute(step, term);
        return;
      }
      // What a leader that was killed has left.
      for (const { name, roles, address: at } of all) {
        const controls = etcds.some(({ url }) => url === peerUrl(at));
        if (roles.includes('control-plane') !== controls) await setRole(name, controls, term);
      }
    },
  };
}
