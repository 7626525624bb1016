import { LxdError } from '@lxd-ts/core';

/** There is one project as yet, LXD's default. */
const projects: ReadonlySet<string> = new Set(['default']);

/** LXD answers these with what there is in the project, which is nothing, without asking whether there is such a project. */
const lenient: ReadonlySet<string> = new Set([
  'serverGet',
  'operationsGet',
  'instancesGet',
  'storagePoolsGet',
  'warningsGet',
]);

/** @throws LxdError `not-found` */
export function checkProject(operationId: string, project: string): void {
  if (projects.has(project) || lenient.has(operationId)) return;
  throw new LxdError('not-found', `Failed loading project "${project}": Project not found`);
}
