import type { NetworkRecord, PoolRecord } from '@lxd-ts/state';
import type { Services } from '../../../services.ts';
import { arrearOf } from './arrears.ts';
import type { PartId } from './part-kind.ts';

/** LXD's status of a pool or network, as all see it or as one member does. */
export function statusView(
  services: Services,
  record: PoolRecord | NetworkRecord,
  of: 'pool' | 'network',
  id: PartId,
  target: string | undefined,
): string {
  if (target === undefined) return record.status;
  if (!Object.hasOwn(record.memberConfig, target)) return 'Unknown';
  if (record.status !== 'Created') return record.status;
  const arrear = arrearOf(services, target, of, id);
  return arrear && (arrear.was === null || arrear.gone) ? 'Pending' : 'Created';
}
