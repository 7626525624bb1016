import type { Services } from '../../services.ts';
import { dropFile } from '../backups/files.ts';
import { instanceSpec } from './spec.ts';

/** Takes the instance's records away, whatever they are by now. */
export async function removeRecords(
  services: Services,
  project: string,
  name: string,
  signal: AbortSignal,
): Promise<void> {
  const gone = services.records.transaction();
  for (const { value } of services.records.list('snapshots', project, name))
    gone.remove('snapshots', [project, name, value.name]);
  const backups = services.records.list('backups', project, name).map(({ value }) => value);
  for (const backup of backups) gone.remove('backups', [project, name, backup.name]);
  await gone
    .remove('instances', [project, name])
    .remove('placements', [project, name])
    .remove('statuses', [project, name])
    .commit({ signal });
  for (const backup of backups) await dropFile(services, backup);
}

/**
 * The effect behind a delete that is already on record, and behind a create that is taken back: all there is of the
 * instance on its member, then its records. Finds what is gone gone.
 */
export async function removeInstance(
  services: Services,
  project: string,
  name: string,
  signal: AbortSignal,
): Promise<void> {
  const record = services.records.get('instances', project, name)?.value;
  const member = services.records.get('placements', project, name)?.value.member;
  if (record && member !== undefined)
    await services.agents.get(member).deleteInstance(instanceSpec(services, record, member), { signal });
  await removeRecords(services, project, name, signal);
}
