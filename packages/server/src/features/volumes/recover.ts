import { toLxdError } from '@lxd-ts/core';
import type { VolumeRecord } from '@lxd-ts/state';
import { limitOf } from './config.ts';
import type { Services } from '../../services.ts';
import { idOf, keyOf, settle, specOf, withoutPending, type VolumesContext } from './context.ts';
import { dropUnrecorded } from './refresh.ts';
import { finishRename, remove } from './service.ts';
import { finishSnapshotRename, removeSnapshot } from './snapshots.ts';

/** It only grows: what was begun is finished. False: it was about to be refused. */
async function hasGrown(services: Services, record: VolumeRecord, signal: AbortSignal): Promise<boolean> {
  try {
    await services.agents
      .get(record.member)
      .limitVolume(specOf(services, record), limitOf(record.config), { signal });
    return true;
  } catch (error) {
    if (toLxdError(error).code === 'internal') return false;
    throw error;
  }
}

/** What is new is taken back; what was to go or to change is finished. */
async function putRight(
  { services }: VolumesContext,
  record: VolumeRecord,
  signal: AbortSignal,
): Promise<void> {
  const { records, agents } = services;
  const { kind, detail = {} } = record.pending ?? {};
  const { snapshot = '', to = '', before } = detail;
  const id = idOf(record);
  const agent = agents.get(record.member);
  switch (kind) {
    case 'create':
    case 'delete':
      return remove(services, record, signal);
    case 'rename':
      return finishRename(services, record, to, signal);
    case 'update': {
      const was = before === undefined ? record : (JSON.parse(before) as VolumeRecord);
      const isBlock = record.contentType === 'block';
      if (isBlock && (await hasGrown(services, record, signal))) break;
      if (!isBlock) await agent.limitVolume(specOf(services, was), limitOf(was.config), { signal });
      return records.modify('volumes', id, () => withoutPending(was), { signal });
    }
    case 'snapshot':
      if (!records.get('volumeSnapshots', ...id, snapshot))
        await agent.deleteVolume(specOf(services, record, snapshot), { signal });
      break;
    case 'snapshot-rename':
      await finishSnapshotRename(services, record, [snapshot, to], signal);
      break;
    case 'snapshot-delete':
      await removeSnapshot(services, record, snapshot, signal);
      break;
    case 'refresh':
      await dropUnrecorded(services, record, signal);
      break;
    case 'restore':
      await agent.restoreVolume(specOf(services, record), snapshot, { signal });
  }
  await settle(services, id, signal);
}

/** Finishes or takes back what these servers left half done; what cannot be reached stays for the next time. */
export async function recoverVolumes(
  context: VolumesContext,
  servers: readonly string[],
  { signal }: { signal: AbortSignal },
): Promise<void> {
  const { services, working } = context;
  for (const { value: listed } of services.records.list('volumes')) {
    // What was looked at before the last one was put right is old.
    const value = services.records.get('volumes', ...idOf(listed))?.value;
    const pending = value?.pending;
    if (!value || !pending || !servers.includes(pending.server) || working.has(keyOf(idOf(value)))) continue;
    try {
      await working.during(keyOf(idOf(value)), () => putRight(context, value, signal));
    } catch (error) {
      services.log.warn(`recovery of a storage volume from an unfinished ${pending.kind} failed`, {
        volume: value.name,
        error: toLxdError(error).message,
      });
    }
  }
}
