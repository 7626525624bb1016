import { formatSize } from '@lxd-ts/core';
import type { PlaceRequest } from './request.ts';
import type { Amount, MemberView, Snapshot } from './snapshot.ts';

/** Says why a member cannot take the instance, or nothing. */
type Filter = (request: PlaceRequest, member: MemberView, among: Snapshot) => string | undefined;

const list = (names: readonly string[]): string => names.map((name) => `"${name}"`).join(', ');

const without = (wanted: readonly string[], there: readonly string[]): string[] =>
  wanted.filter((name) => !there.includes(name));

function room(what: string, asked: number, { total, reserved }: Amount, show: (n: number) => string) {
  const free = Math.max(0, total - reserved);
  return asked === 0 || asked <= free
    ? undefined
    : `has ${show(free)} of ${show(total)} ${what} left, ${show(asked)} are asked for`;
}

const target: Filter = (request, { name, accepts, groups }) => {
  const chosen = request.target;
  if (!chosen)
    return accepts === 'all'
      ? undefined
      : `takes only instances that name it${accepts === 'group' ? ' or one of its groups' : ''} (scheduler.instance=${accepts})`;
  if ('member' in chosen) return chosen.member === name ? undefined : 'is not the one that is named';
  if (!groups.includes(chosen.group)) return `is not in group "${chosen.group}"`;
  return accepts === 'manual' ? 'takes only instances that name it (scheduler.instance=manual)' : undefined;
};

const state: Filter = (_, member) => {
  switch (member.state) {
    case 'online':
      return undefined;
    case 'unreachable':
      return 'cannot be reached at the moment';
    default:
      return `is ${member.state}`;
  }
};

const architecture: Filter = ({ architecture: wanted }, { architectures }) =>
  wanted === '' || architectures.includes(wanted)
    ? undefined
    : `runs ${architectures.join(', ') || 'nothing'}, not ${wanted}`;

const pools: Filter = (request, member) => {
  const missing = without(request.pools, member.pools);
  return missing.length > 0 ? `does not have storage pool ${list(missing)}` : undefined;
};

const networks: Filter = (request, member) => {
  const missing = without(request.networks, member.networks);
  return missing.length > 0 ? `does not have network ${list(missing)}` : undefined;
};

const volumes: Filter = (request, member) => {
  const missing = without(request.volumes, member.volumes);
  return missing.length > 0 ? `does not have storage volume ${list(missing)}` : undefined;
};

const cpus: Filter = ({ reserve }, member) => room('CPUs', reserve.cpus, member.cpus, String);
const memory: Filter = ({ reserve }, member) =>
  room('memory', reserve.memoryBytes, member.memory, formatSize);

const disk: Filter = ({ reserve }, member) => {
  for (const [pool, bytes] of Object.entries(reserve.disk)) {
    if (bytes === 0 || !member.pools.includes(pool)) continue;
    const amount = member.disk[pool];
    if (!amount) return `does not say how much room storage pool "${pool}" has`;
    const wrong = room(`storage pool "${pool}"`, bytes, amount, formatSize);
    if (wrong !== undefined) return wrong;
  }
  return undefined;
};

const antiAffinity: Filter = (request, { labels, avoids }) => {
  const near = request.antiAffinity.filter((label) => labels.has(label));
  if (near.length > 0) return `holds an instance labelled ${list(near)}, which this one avoids`;
  const unwanted = request.labels.filter((label) => avoids.has(label));
  return unwanted.length > 0 ? `holds an instance that avoids label ${list(unwanted)}` : undefined;
};

const affinity: Filter = (request, { labels }, { members }) => {
  const wanted = request.affinity;
  if (wanted.length === 0 || wanted.some((label) => labels.has(label))) return undefined;
  // The first of its kind may go anywhere.
  return members.some((member) => wanted.some((label) => member.labels.has(label)))
    ? `holds no instance labelled ${list(wanted)}`
    : undefined;
};

const filters: readonly Filter[] = [
  target,
  state,
  architecture,
  pools,
  networks,
  volumes,
  cpus,
  memory,
  disk,
  antiAffinity,
  affinity,
];

/** The first reason why a member cannot; for choosing. */
export function refusal(request: PlaceRequest, member: MemberView, among: Snapshot): string | undefined {
  for (const filter of filters) {
    const reason = filter(request, member, among);
    if (reason !== undefined) return reason;
  }
  return undefined;
}

/** All of them; for telling. */
export const refusals = (request: PlaceRequest, member: MemberView, among: Snapshot): string[] =>
  filters.map((filter) => filter(request, member, among)).filter((reason) => reason !== undefined);
