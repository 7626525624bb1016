import { formatSize } from '@lxd-ts/core';
import type { MemberView, Snapshot } from './snapshot.ts';

export interface PlaceRequest {
  architecture: string;
  /** The instance's limit; absent: it may take what is free. */
  memoryBytes?: number;
  /** The instance's limit; absent: all there are. */
  cpus?: number;
  /** Only these may be chosen (a target, a group); absent: all. */
  among?: readonly string[];
}

/** Member → why it cannot be. */
export type Reasons = Readonly<Record<string, string>>;

export type Placement = { member: string } | { reasons: Reasons };

/** A filter says why a member cannot take the instance, or nothing. The first reason is the one that is told. */
type Filter = (request: PlaceRequest, member: MemberView) => string | undefined;

const filters: readonly Filter[] = [
  ({ among }, { name }) => (among && !among.includes(name) ? 'is not among those asked for' : undefined),
  (_, { state }) => (state === 'online' ? undefined : `is ${state}`),
  ({ architecture }, member) =>
    member.architecture === architecture || member.alsoRuns?.includes(architecture)
      ? undefined
      : `is ${member.architecture}, not ${architecture}`,
  ({ cpus = 0 }, member) =>
    cpus > member.cpus ? `has ${member.cpus} CPUs, ${cpus} are asked for` : undefined,
  ({ memoryBytes = 0 }, { memoryFreeBytes }) =>
    memoryBytes > memoryFreeBytes
      ? `has ${formatSize(memoryFreeBytes)} of memory free, ${formatSize(memoryBytes)} are asked for`
      : undefined,
];

const refusal = (request: PlaceRequest, member: MemberView): string | undefined =>
  filters.map((filter) => filter(request, member)).find((reason) => reason !== undefined);

/** Fewest instances first, then by name, so that equal snapshots give equal answers. */
const better = (a: MemberView, b: MemberView): boolean =>
  a.instances !== b.instances ? a.instances < b.instances : a.name < b.name;

/** Chooses a member for one instance, or says of each why it cannot be. */
export function place(request: PlaceRequest, { members }: Snapshot): Placement {
  const reasons: [string, string][] = [];
  let best: MemberView | undefined;
  for (const member of members) {
    const reason = refusal(request, member);
    if (reason !== undefined) reasons.push([member.name, reason]);
    else if (!best || better(member, best)) best = member;
  }
  return best ? { member: best.name } : { reasons: Object.fromEntries(reasons) };
}

/** The reasons as one sentence for people. */
export function explain(reasons: Reasons): string {
  const each = Object.entries(reasons).map(([name, reason]) => `${name} ${reason}`);
  return each.length === 0
    ? 'The cluster has no members'
    : `No member can take the instance: ${each.join('; ')}`;
}
