import { LxdError, type InstanceRef } from '@lxd-ts/core';
import type { InstanceStateReport } from '@lxd-ts/rpc';
import type { InstanceRecord } from '@lxd-ts/state';
import type { Services } from '../../services.ts';
import { backupViews } from '../backups/records.ts';
import { memberOf } from './context.ts';
import { snapshotViews } from './snapshot-view.ts';
import { instanceSpec } from './spec.ts';
import { instanceViewer, stateView, type InstanceView } from './view.ts';

/** Members that do not answer in this time, or are not heard of meanwhile, are shown as if they were offline. */
const answerTimeoutMs = 10_000;
const lookMs = 250;

export interface ListRequest {
  project: string;
  allProjects: boolean;
  /** `?instance-type=`. */
  type: string | null;
  /** Absent: all. */
  keep?: (view: InstanceView) => boolean;
}

function recordsOf(services: Services, { project, allProjects, type }: ListRequest): InstanceRecord[] {
  if (type !== null && type !== '' && type !== 'container' && type !== 'virtual-machine')
    throw new LxdError('internal', 'Invalid instance type');
  if (type === 'virtual-machine') return [];
  const found = allProjects
    ? services.records.list('instances')
    : services.records.list('instances', project);
  return found.map(({ value }) => value);
}

/** @throws LxdError `internal` (as LXD) for an unknown type */
export function listInstances(services: Services, request: ListRequest): InstanceView[] {
  const views = recordsOf(services, request).map(instanceViewer(services));
  return request.keep ? views.filter(request.keep) : views;
}

/** Only who they are. @throws LxdError `internal` (as LXD) for an unknown type */
export const listRefs = (services: Services, request: ListRequest): InstanceRef[] =>
  request.keep ? listInstances(services, request) : recordsOf(services, request);

/** For calls to members that are not there to notice that they were given up. */
const rejected = (signal: AbortSignal): Promise<never> =>
  new Promise((_, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
  });

async function statesOf(
  services: Services,
  member: string,
  records: InstanceRecord[],
  signal: AbortSignal,
): Promise<(InstanceStateReport | undefined)[]> {
  const gone = Promise.withResolvers<never>();
  const looking = setInterval(() => {
    if (services.agents.state(member) !== 'online') gone.reject(new Error('it cannot be reached'));
  }, lookMs);
  try {
    const agent = services.agents.get(member);
    const specs = records.map((record) => instanceSpec(services, record, member));
    const limit = AbortSignal.any([signal, AbortSignal.timeout(answerTimeoutMs)]);
    return await Promise.race([
      agent.instanceStates(specs, { signal: limit }),
      gone.promise,
      rejected(limit),
    ]);
  } catch {
    return records.map(() => undefined);
  } finally {
    clearInterval(looking);
  }
}

const keyOf = ({ project, name }: { project: string; name: string }): string => `${project}/${name}`;

/** With state, for `recursion=2`: every member is asked once, for all of its instances. */
export async function withStates(
  services: Services,
  views: InstanceView[],
  signal: AbortSignal,
): Promise<Record<string, unknown>[]> {
  const records = views.flatMap(({ project, name }) => {
    const found = services.records.get('instances', project, name);
    return found ? [found.value] : [];
  });
  const byMember = Map.groupBy(
    records.filter(({ project, name }) => services.records.get('placements', project, name)),
    ({ project, name }) => memberOf(services, project, name),
  );
  const reports = new Map<string, InstanceStateReport | undefined>();
  await Promise.all(
    [...byMember].map(async ([member, theirs]) => {
      const states = await statesOf(services, member, theirs, signal);
      theirs.forEach(({ project, name }, index) => reports.set(keyOf({ project, name }), states[index]));
    }),
  );
  return views.map((view) => ({
    ...view,
    backups: backupViews(services, view.project, view.name),
    // As LXD: of a member that does not answer nothing is known.
    state: view.status === 'Error' && !reports.get(keyOf(view)) ? null : stateView(reports.get(keyOf(view))),
    snapshots: snapshotViews(services, view.project, view.name),
  }));
}
