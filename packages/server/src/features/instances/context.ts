import { LxdError, type InstanceStatus } from '@lxd-ts/core';
import type { InstanceRecord, Versioned } from '@lxd-ts/state';
import type { Caller } from '../../http/route.ts';
import type { Services } from '../../services.ts';
import type { ImagePuller } from '../images/pull.ts';
import type { Drivers } from '../shared/drivers.ts';
import { isClustered } from '../shared/members.ts';
import type { Busy } from './busy.ts';
import type { Placer } from './placement.ts';

export interface InstancesContext {
  services: Services;
  drivers: Pick<Drivers, 'device' | 'unpacksImages'>;
  busy: Busy;
  placer: Placer;
  /** Of images that other servers have. */
  puller: ImagePuller;
}

/** How long taking back may need when what it takes back was given up. */
export const unwindTimeoutMs = 120_000;

export const instanceUrl = (project: string, name: string): string =>
  `/1.0/instances/${name}${project === 'default' ? '' : `?project=${encodeURIComponent(project)}`}`;

/** @throws LxdError `not-found` */
export function findInstance(services: Services, project: string, name: string): Versioned<InstanceRecord> {
  const found = services.records.get('instances', project, name);
  if (!found) throw new LxdError('not-found', 'Instance not found');
  return found;
}

/** The member an instance is on. @throws LxdError `not-found` */
export function memberOf(services: Services, project: string, name: string): string {
  const placement = services.records.get('placements', project, name);
  if (!placement) throw new LxdError('not-found', 'Instance not found');
  return placement.value.member;
}

export const statusOf = (services: Services, project: string, name: string): InstanceStatus =>
  services.records.get('statuses', project, name)?.value.status ?? 'Stopped';

export const isUp = (status: InstanceStatus): boolean => status === 'Running' || status === 'Frozen';

/** LXD shows a member's name only in a cluster. */
export const locationOf = (services: Services, member: string): string =>
  isClustered(services) ? member : 'none';

export const requestor = (
  caller: Caller | undefined,
): { requestor?: { username: string; protocol: string } } =>
  caller ? { requestor: { username: caller.username, protocol: caller.protocol } } : {};

const architectures =
  'i686 x86_64 armv6l armv7l armv8l aarch64 ppc ppc64 ppc64le s390x mips mips64 riscv32 riscv64'.split(' ');

/** As LXD: a name that is no architecture's says nothing. */
export const knownArchitecture = (name: string | undefined): string =>
  name !== undefined && architectures.includes(name) ? name : '';
