import { refusal, refusals } from './filters.ts';
import type { PlaceRequest } from './request.ts';
import { compareScores, labelledByDomain, score, type Score } from './scores.ts';
import type { MemberView, Snapshot } from './snapshot.ts';

/** Member → why it cannot be. */
export type Reasons = Readonly<Record<string, string>>;

export type Placement = { member: string } | { reasons: Reasons };

/** What is to be said of one member. */
export interface Verdict {
  member: string;
  /** Empty: it can take the instance. */
  reasons: string[];
  score: Score;
}

const byName = (a: string, b: string): number => (a < b ? -1 : 1);

/** Chooses a member for one instance, or says of each why it cannot be. Equal snapshots give equal answers. */
export function place(request: PlaceRequest, snapshot: Snapshot): Placement {
  const { members, slack } = snapshot;
  const reasons: [string, string][] = [];
  const domains = labelledByDomain(request, snapshot);
  let best: { member: MemberView; score: Score } | undefined;
  for (const member of members) {
    const reason = refusal(request, member, snapshot);
    if (reason !== undefined) {
      reasons.push([member.name, reason]);
      continue;
    }
    const its = score(request, member, domains, slack);
    if (!best || (compareScores(its, best.score) || byName(member.name, best.member.name)) < 0)
      best = { member, score: its };
  }
  return best ? { member: best.member.name } : { reasons: Object.fromEntries(reasons) };
}

/** All there is to say of every member, the best first, those that cannot be last. */
export function judge(request: PlaceRequest, snapshot: Snapshot): Verdict[] {
  const { members, slack } = snapshot;
  const domains = labelledByDomain(request, snapshot);
  return members
    .map((member) => ({
      member: member.name,
      reasons: refusals(request, member, snapshot),
      score: score(request, member, domains, slack),
    }))
    .sort(
      (a, b) =>
        Number(a.reasons.length > 0) - Number(b.reasons.length > 0) ||
        compareScores(a.score, b.score) ||
        byName(a.member, b.member),
    );
}

/** The reasons as one sentence for people; of many members only the first are named. */
export function explain(reasons: Reasons): string {
  const each = Object.entries(reasons).map(([name, reason]) => `${name} ${reason}`);
  if (each.length === 0) return 'The cluster has no members';
  const more = each.length > 10 ? `; and ${each.length - 10} more` : '';
  return `No member can take the instance: ${each.slice(0, 10).join('; ')}${more}`;
}
