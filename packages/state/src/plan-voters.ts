import type { EtcdMember } from './etcd-members.ts';

/** A member of the cluster, as somebody that may have a vote. */
export interface VoterCandidate {
  name: string;
  /** Of its etcd. */
  url: string;
  failureDomain: string;
  /** `lost`: for so long that another should take its place. */
  state: 'online' | 'away' | 'lost';
  /** It may be of the control plane. */
  eligible: boolean;
}

/** One change; the next is planned when it is done. */
export type VoterStep =
  /** Begins to follow. */
  | { kind: 'add'; candidate: VoterCandidate }
  /** Follows on paper, but was never told, or has not started. */
  | { kind: 'start'; candidate: VoterCandidate }
  /** Gets a vote, once it has caught up. */
  | { kind: 'promote'; id: string; candidate: VoterCandidate }
  /** Has no vote any more. `candidate` when it is still of the cluster. */
  | { kind: 'remove'; id: string; candidate: VoterCandidate | undefined };

/** How many votes: odd, no more than wanted, and one while three cannot be had. */
export function votersFor(eligible: number, most: number): number {
  if (eligible < 3) return 1;
  const odd = Math.min(eligible, most);
  return odd % 2 === 0 ? odd - 1 : odd;
}

const majority = (voters: number): number => Math.floor(voters / 2) + 1;

/** How many of these votes a failure domain has. */
const votesIn = (voters: readonly VoterCandidate[], domain: string | undefined): number =>
  voters.filter(({ failureDomain }) => failureDomain === domain).length;

/** Fewest votes in its failure domain, then by name. */
function best(
  candidates: readonly VoterCandidate[],
  voters: readonly VoterCandidate[],
): VoterCandidate | undefined {
  const inDomain = (domain: string) => votesIn(voters, domain);
  return [...candidates].sort(
    (a, b) => inDomain(a.failureDomain) - inDomain(b.failureDomain) || (a.name < b.name ? -1 : 1),
  )[0];
}

/**
 * The next change to who has a vote; undefined: all is as it should be, or nothing can be done now. Never one after which
 * those who are there could not decide any more.
 * @param own the etcd that plans: the last to give up its vote
 */
export function planVoters(
  members: readonly EtcdMember[],
  candidates: readonly VoterCandidate[],
  { most, own }: { most: number; own: string },
): VoterStep | undefined {
  const of = ({ url }: EtcdMember) => candidates.find((candidate) => candidate.url === url);
  const isThere = (member: EtcdMember) => member.url === own || of(member)?.state === 'online';
  const voters = members.filter(({ learner }) => !learner);
  const learner = members.find((member) => member.learner);

  const canRemove = (member: EtcdMember): boolean => {
    const left = voters.filter(({ id }) => id !== member.id);
    return left.length > 0 && left.filter(isThere).length >= majority(left.length);
  };

  if (learner) {
    const candidate = of(learner);
    if (candidate?.eligible !== true || candidate.state === 'lost')
      return { kind: 'remove', id: learner.id, candidate };
    if (candidate.state === 'away') return undefined;
    return learner.name === ''
      ? { kind: 'start', candidate }
      : { kind: 'promote', id: learner.id, candidate };
  }

  const strays = voters.filter((member) => member.url !== own && of(member)?.eligible !== true);
  const stray = strays.find(canRemove);
  if (stray) return { kind: 'remove', id: stray.id, candidate: of(stray) };

  const wanted = votersFor(candidates.filter(({ eligible }) => eligible).length, most);
  const known = voters.flatMap((member) => of(member) ?? []);
  const spare = candidates.filter(
    ({ eligible, state, url }) =>
      eligible && state === 'online' && url !== own && !members.some((member) => member.url === url),
  );
  const replacement = best(spare, known);
  // A vote is only taken from one that is lost when there is another to give it to: its copy may be the last but one.
  const dead = voters.find((member) => member.url !== own && of(member)?.state === 'lost');
  if (dead && replacement && canRemove(dead)) return { kind: 'remove', id: dead.id, candidate: of(dead) };

  // Two votes are worse than one: the second is given when there is a third to follow at once.
  const needed = voters.length % 2 === 1 ? 2 : 1;
  if (voters.length < wanted && spare.length >= needed)
    return replacement && { kind: 'add', candidate: replacement };
  const votes = (member: EtcdMember) => votesIn(known, of(member)?.failureDomain);
  // Of the failure domain that has most.
  const [surplus] = voters
    .filter((member) => member.url !== own && canRemove(member))
    .sort((a, b) => votes(b) - votes(a) || ((of(a)?.name ?? '') < (of(b)?.name ?? '') ? 1 : -1));
  if (voters.length > wanted) return surplus && { kind: 'remove', id: surplus.id, candidate: of(surplus) };
  // One more for a while, where that spreads them better: the one too many is then of the domain that has most.
  const better = surplus && replacement && votesIn(known, replacement.failureDomain) + 1 < votes(surplus);
  return better && voters.length === wanted ? { kind: 'add', candidate: replacement } : undefined;
}
