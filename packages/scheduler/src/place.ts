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

/** FNV-1a: an order of names that differs from salt to salt. */
function hash(text: string): number {
  let value = 0x811c9dc5;
  for (let at = 0; at < text.length; at++) value = Math.imul(value ^ text.charCodeAt(at), 0x01000193);
  return value >>> 0;
}

/** Who of equals is first: by name, or by salt and name. */
function firstOf(a: MemberView, b: MemberView, salt: string): boolean {
  if (salt !== '') {
    const [left, right] = [hash(`${salt}/${a.name}`), hash(`${salt}/${b.name}`)];
    if (left !== right) return left < right;
  }
  return a.name < b.name;
}

/** Chooses a member for one instance, or says of each why it cannot be. Equal snapshots give equal answers. */
export function place(request: PlaceRequest, snapshot: Snapshot): Placement {
  const { members, salt = '' } = snapshot;
  const reasons: [string, string][] = [];
  const domains = labelledByDomain(request, snapshot);
  let best: { member: MemberView; score: Score } | undefined;
  for (const member of members) {
    const reason = refusal(request, member, snapshot);
    if (reason !== undefined) {
      reasons.push([member.name, reason]);
      continue;
    }
    const its = score(request, member, domains);
    const difference = best ? compareScores(its, best.score) : -1;
    if (!best || difference < 0 || (difference === 0 && firstOf(member, best.member, salt)))
      best = { member, score: its };
  }
  return best ? { member: best.member.name } : { reasons: Object.fromEntries(reasons) };
}

/** All there is to say of every member, the best first, those that cannot be last. */
export function judge(request: PlaceRequest, snapshot: Snapshot): Verdict[] {
  const { members, salt = '' } = snapshot;
  const domains = labelledByDomain(request, snapshot);
  return members
    .map((member) => ({
      view: member,
      verdict: {
        member: member.name,
        reasons: refusals(request, member, snapshot),
        score: score(request, member, domains),
      },
    }))
    .sort((a, b) => {
      const possible = Number(a.verdict.reasons.length > 0) - Number(b.verdict.reasons.length > 0);
      return (
        possible ||
        compareScores(a.verdict.score, b.verdict.score) ||
        (firstOf(a.view, b.view, salt) ? -1 : 1)
      );
    })
    .map(({ verdict }) => verdict);
}

/** The reasons as one sentence for people; of many members only the first are named. */
export function explain(reasons: Reasons): string {
  const each = Object.entries(reasons).map(([name, reason]) => `${name} ${reason}`);
  if (each.length === 0) return 'The cluster has no members';
  const more = each.length > 10 ? `; and ${each.length - 10} more` : '';
  return `No member can take the instance: ${each.slice(0, 10).join('; ')}${more}`;
}
