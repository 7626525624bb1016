import type { PlaceRequest } from './request.ts';
import type { Amount, MemberView, Snapshot } from './snapshot.ts';

/** What one member has for and against it; the lower the better, compared in this order. */
export interface Score {
  /** Instances with one of the request's labels in the member's failure domain, then on the member itself. */
  labelledInDomain: number;
  labelledHere: number;
  /** Instances, as far as a few more or less do not matter. */
  level: number;
  leftToOthers: 0 | 1;
  instances: number;
  /** 0 when the image is there already. */
  imageMissing: 0 | 1;
  /** Of memory, CPUs and disk that which would be the fullest, in thousandths. */
  fullness: number;
}

const order: readonly (keyof Score)[] = [
  'labelledInDomain',
  'labelledHere',
  'level',
  'leftToOthers',
  'instances',
  'imageMissing',
  'fullness',
];

const labelled = ({ labels }: MemberView, wanted: readonly string[]): number =>
  wanted.reduce((sum, label) => sum + (labels.get(label) ?? 0), 0);

/** Failure domain → how many there have one of the labels. */
export function labelledByDomain(request: PlaceRequest, { members }: Snapshot): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  if (request.labels.length === 0) return counts;
  for (const member of members) {
    const here = labelled(member, request.labels);
    counts.set(member.failureDomain, (counts.get(member.failureDomain) ?? 0) + here);
  }
  return counts;
}

const part = ({ total, reserved }: Amount, asked: number): number =>
  total > 0 ? Math.round(((reserved + asked) / total) * 1000) : 0;

export function score(
  { reserve, labels }: PlaceRequest,
  member: MemberView,
  domains: ReadonlyMap<string, number>,
  slack = 1,
): Score {
  const disks = Object.entries(reserve.disk).map(([pool, bytes]) => {
    const amount = member.disk[pool];
    return amount ? part(amount, bytes) : 0;
  });
  return {
    labelledInDomain: domains.get(member.failureDomain) ?? 0,
    labelledHere: labelled(member, labels),
    level: Math.floor(member.instances / slack),
    leftToOthers: member.leftToOthers ? 1 : 0,
    instances: member.instances,
    imageMissing: member.hasImage ? 0 : 1,
    fullness: Math.max(part(member.cpus, reserve.cpus), part(member.memory, reserve.memoryBytes), ...disks),
  };
}

/** Negative when `a` is better; 0 for equals. */
export function compareScores(a: Score, b: Score): number {
  for (const key of order) {
    const difference = a[key] - b[key];
    if (difference !== 0) return difference;
  }
  return 0;
}
