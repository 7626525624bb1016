import { LxdError } from '@lxd-ts/core';
import type { Caller, Route } from './route.ts';

/** What concerns the server as a whole: not for certificates that are restricted to projects. */
const serverWide: ReadonlySet<string> = new Set([
  ...['serverPut', 'serverPatch', 'warningsGet'],
  ...['certificatesPost', 'certificatePut', 'certificatePatch', 'certificateDelete'],
  ...['storagePoolsPost', 'storagePoolPut', 'storagePoolPatch', 'storagePoolDelete'],
  ...['clusterPut', 'clusterMembersPost', 'clusterMemberPut', 'clusterMemberPatch', 'clusterMemberPost'],
  ...['clusterMemberDelete', 'clusterMemberStatePost', 'clusterCertificatePut', 'clusterGroupsPost'],
  ...['clusterGroupPut', 'clusterGroupPatch', 'clusterGroupPost', 'clusterGroupDelete'],
]);

/** Of no project, or of all. */
const ofNoProject: ReadonlySet<string> = new Set(['apiGet', 'serverGet', 'projectsGet', 'resourcesGet']);

/** @throws LxdError `forbidden` in LXD's words, which say nothing */
export function authorize(caller: Caller, route: Route, project: string, allProjects: boolean): void {
  // Made only where it is thrown: it costs a look at the stack.
  const refused = () => new LxdError('forbidden', 'not authorized');
  if (!caller.trusted && !route.untrusted) throw refused();
  if (!caller.projects) return;
  const { operationId } = route;
  if (serverWide.has(operationId) || operationId.startsWith('internal')) throw refused();
  if (ofNoProject.has(operationId)) return;
  if (allProjects || !caller.projects.includes(project)) throw refused();
}
