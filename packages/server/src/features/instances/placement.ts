import { LxdError } from '@lxd-ts/core';
import type { Services } from '../../services.ts';

export interface PlacementRequest {
  architecture: string;
  /** `?target=`. */
  target?: string;
}

/** The member a new instance goes to. @throws LxdError `not-found`, `unavailable` */
export function choosePlacement(services: Services, request: PlacementRequest): string {
  const { records, agents } = services;
  const members = records.list('members').map(({ value }) => value);
  const online = agents.online();
  if (request.target !== undefined) {
    if (!members.some(({ name }) => name === request.target))
      throw new LxdError('not-found', 'Cluster member not found');
    return request.target;
  }
  const count = new Map<string, number>();
  for (const { value } of records.list('placements'))
    count.set(value.member, (count.get(value.member) ?? 0) + 1);
  const chosen = members
    .filter(({ name, roles }) => online.includes(name) && roles.includes('node'))
    .filter(({ architecture }) => !request.architecture || architecture === request.architecture)
    .sort((a, b) => (count.get(a.name) ?? 0) - (count.get(b.name) ?? 0))[0];
  if (!chosen) throw new LxdError('unavailable', 'No suitable cluster member could be found');
  return chosen.name;
}
