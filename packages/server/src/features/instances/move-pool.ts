import { LxdError, toLxdError, type Devices } from '@lxd-ts/core';
import type { RunningOperation } from '@lxd-ts/operations';
import type { InstanceRecord } from '@lxd-ts/state';
import { findInstance, memberOf, type InstancesContext } from './context.ts';
import { expandIn, rootDisk } from './expand.ts';
import { intend, withoutPending } from './pending.ts';
import { settle, snapshotsOf, unchanged } from './snapshot-records.ts';
import { instanceSpec } from './spec.ts';

/** The devices with the root disk in another pool; one that only a profile has becomes the instance's own. */
function withRootPool(devices: Devices, expanded: Devices, pool: string): Devices {
  const [name = 'root', root = { type: 'disk', path: '/' }] = rootDisk(expanded) ?? [];
  return { ...devices, [name]: { ...root, ...devices[name], pool } };
}

/** The effect of a move to another pool that is on record. Cut off, it goes on where it was. */
export async function finishPoolMove(
  { services }: InstancesContext,
  { project, name }: InstanceRecord,
  { from = '', pool = '' }: Record<string, string>,
  signal: AbortSignal,
): Promise<void> {
  const member = memberOf(services, project, name);
  const agent = services.agents.get(member);
  const record = withoutPending(findInstance(services, project, name).value);
  const { devices } = expandIn(services, project, record);
  const inPool = (where: string) =>
    instanceSpec(services, { ...record, devices: withRootPool(record.devices, devices, where) }, member);
  if (rootDisk(devices)?.[1]['pool'] !== pool) {
    const snapshots = snapshotsOf(services, project, name).map((snapshot) => snapshot.name);
    await agent.createInstance(inPool(pool), { type: 'copy', source: inPool(from), snapshots }, { signal });
    await services.records.modify(
      'instances',
      [project, name],
      (value) => ({ ...value, devices: withRootPool(value.devices, devices, pool) }),
      { signal },
    );
  }
  await agent.deleteRoot(inPool(from), { signal });
  await settle(services, project, name, unchanged);
}

/** Moves it to another pool of its member within an operation; its turn is the caller's. */
export async function moveToPool(
  context: InstancesContext,
  project: string,
  name: string,
  pool: string,
  { id, signal }: Pick<RunningOperation, 'id' | 'signal'>,
): Promise<void> {
  const { services } = context;
  const found = services.records.get('pools', pool);
  if (!found || found.value.pending?.kind === 'delete')
    throw new LxdError(
      'not-found',
      'Failed creating instance record: Failed initialising instance: Failed loading storage pool: Storage pool not found',
    );
  const { value } = findInstance(services, project, name);
  const from = rootDisk(expandIn(services, project, value).devices)?.[1]['pool'] ?? '';
  if (from === pool) return;
  services.agents.get(memberOf(services, project, name));
  const detail = { from, pool };
  const { after } = await intend(context, project, name, { kind: 'move', operation: id, detail }, unchanged, {
    signal,
    also: (_, transaction) => transaction.guard('pools', [pool], found.revision),
  });
  try {
    await finishPoolMove(context, after, detail, signal);
  } catch (error) {
    const now = findInstance(services, project, name).value;
    // Once it is on record in the new pool, what is left of the old one goes later.
    if (rootDisk(expandIn(services, project, now).devices)?.[1]['pool'] === from)
      await settle(services, project, name, unchanged).catch((failure: unknown) => {
        services.log.error('taking back a failed move failed', { error: toLxdError(failure).message });
      });
    throw error;
  }
}
