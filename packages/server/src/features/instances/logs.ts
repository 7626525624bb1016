import type { Readable } from 'node:stream';
import { LxdError } from '@lxd-ts/core';
import { findInstance, instanceUrl, memberOf, type InstancesContext } from './context.ts';

const fixed = ['lxc.log', 'lxc.conf'];
const valid = (file: string): boolean =>
  !file.includes('/') && (fixed.includes(file) || /^(migration_|snapshot_|exec_)/.test(file));

function checkFile(file: string): void {
  if (!valid(file)) throw new LxdError('invalid', `log file name ${file} not valid`);
}

const agentOf = ({ services }: InstancesContext, project: string, name: string) => {
  findInstance(services, project, name);
  return services.agents.get(memberOf(services, project, name));
};

/** Paths of its log files. */
export async function listLogs(
  context: InstancesContext,
  project: string,
  name: string,
  signal: AbortSignal,
): Promise<string[]> {
  const files = await agentOf(context, project, name).logs({ project, name }, { signal });
  return files
    .map((file) => file.name)
    .filter(valid)
    .sort()
    .map((file) => `/1.0/instances/${name}/logs/${file}`);
}

/** @throws LxdError `invalid`, `not-found` */
export async function readLog(
  context: InstancesContext,
  project: string,
  name: string,
  file: string,
  signal: AbortSignal,
): Promise<Readable> {
  const agent = agentOf(context, project, name);
  checkFile(file);
  const body = await agent.readLog({ project, name }, file, { signal });
  context.services.events.lifecycle({
    action: 'instance-log-retrieved',
    source: `/1.0/instances/${name}/logs/${file}`,
    project,
  });
  return body;
}

/** @throws LxdError `invalid`, `not-found` */
export async function deleteLog(
  context: InstancesContext,
  project: string,
  name: string,
  file: string,
  signal: AbortSignal,
): Promise<void> {
  const agent = agentOf(context, project, name);
  checkFile(file);
  if (fixed.includes(file)) throw new LxdError('invalid', 'lxc.log and lxc.conf may not be deleted');
  await agent.deleteLog({ project, name }, file, { signal });
  context.services.events.lifecycle({
    action: 'instance-log-deleted',
    source: instanceUrl(project, name),
    project,
    context: { file },
  });
}
