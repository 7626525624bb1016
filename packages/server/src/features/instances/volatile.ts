import {
  freeIds,
  hostIds,
  idmapFor,
  isolatedIds,
  LxdError,
  type Config,
  type Devices,
  type IdRange,
} from '@lxd-ts/core';
import type { Outcome } from '@lxd-ts/rpc';
import type { InstanceRecord } from '@lxd-ts/state';
import type { Services } from '../../services.ts';
import { expandIn } from './expand.ts';

const baseKey = 'volatile.idmap.base';

/**
 * First host id of one that is isolated; 0 of one that is not. It has the last word where it starts, for it knows who
 * runs there: this is what it will most likely be.
 */
function idmapBase({ records }: Services, record: InstanceRecord, config: Config): number {
  const size = isolatedIds(config);
  if (size === undefined) return 0;
  const given = config['security.idmap.base'];
  if (given) {
    const [base, end] = [Number(given), hostIds.base + hostIds.size];
    if (base >= hostIds.base && base + size <= end) return base;
    throw new LxdError(
      'invalid',
      `"security.idmap.base" is ${given}: ${size} ids from there are not within the host's, ${hostIds.base} to ${end - 1}`,
    );
  }
  const used = records.list('instances').flatMap(({ value: { project, name, config: other } }): IdRange[] => {
    const base = Number(other[baseKey] ?? 0);
    if (base === 0 || (project === record.project && name === record.name)) return [];
    return [{ base, size: Number(other['security.idmap.size'] ?? 0) || 65_536 }];
  });
  const last = Number(config[baseKey] ?? 0) || undefined;
  try {
    return freeIds(size, used, last).base;
  } catch {
    // All are given away; those who run on one member are few.
    return freeIds(size, [], last).base;
  }
}

/** Kinds of NIC that bring an address of their own. */
const ownAddress = ['physical', 'ipvlan', 'infiniband'];

/** An address of LXD's range that no instance has. */
function freeHwaddr(services: Services): string {
  for (;;) {
    const hex = services.uuid();
    const address = `00:16:3e:${hex.slice(0, 2)}:${hex.slice(2, 4)}:${hex.slice(4, 6)}`;
    if (!services.hwaddrs.isTaken(address)) return address;
  }
}

/** What only an instance of its own has; a copy does not take it along. */
const ownKeys =
  /^volatile\.(uuid|cloud-init\.instance-id|apply_template|last_state\..*|idmap\..*|.+\.(hwaddr|host_name|last_state\..*))$/;
export const withoutOwnVolatile = (config: Config): Config =>
  Object.fromEntries(Object.entries(config).filter(([name]) => !ownKeys.test(name)));

/** The record with every `volatile.*` key that the server decides, where it is missing or no longer right. */
export function fillVolatile(services: Services, record: InstanceRecord): InstanceRecord {
  const expanded = expandIn(services, record.project, record);
  const base = idmapBase(services, record, expanded.config);
  const config: Record<string, string> = {
    'volatile.uuid': services.uuid(),
    'volatile.cloud-init.instance-id': services.uuid(),
    'volatile.last_state.idmap': '[]',
    ...record.config,
    [baseKey]: String(base),
    'volatile.idmap.next': JSON.stringify(idmapFor(expanded.config, base)),
  };
  for (const [name, device] of Object.entries(expanded.devices)) {
    const wantsAddress = device['type'] === 'nic' && !ownAddress.includes(device['nictype'] ?? '');
    if (wantsAddress && !device['hwaddr']) config[`volatile.${name}.hwaddr`] ??= freeHwaddr(services);
  }
  nameInterfaces(expanded.devices, config);
  return { ...record, config };
}

/** Interfaces without a name of their own get the first `ethN` that is free, once and for all. */
function nameInterfaces(devices: Devices, config: Record<string, string>): void {
  const nics = Object.entries(devices)
    .filter(([, { type }]) => type === 'nic' || type === 'infiniband')
    .sort(([a], [b]) => (a < b ? -1 : 1));
  const key = (name: string) => `volatile.${name}.name`;
  const used = new Set(nics.map(([name, device]) => device['name'] || config[key(name)]));
  for (const [name, device] of nics) {
    if (device['name']) Reflect.deleteProperty(config, key(name));
    else if (!config[key(name)]) {
      let index = 0;
      while (used.has(`eth${index}`)) index++;
      config[key(name)] = `eth${index}`;
      used.add(`eth${index}`);
    }
  }
}

/** What a device that is gone had to remember is gone too. */
export const forgetDevice = (config: Config, device: string): Config =>
  Object.fromEntries(Object.entries(config).filter(([name]) => !name.startsWith(`volatile.${device}.`)));

/** The configuration with an agent's changes in it. */
export function withOutcome(config: Config, { volatile }: Outcome): Config {
  const changed = { ...config };
  for (const [name, value] of Object.entries(volatile)) {
    if (value === null) Reflect.deleteProperty(changed, name);
    else changed[name] = value;
  }
  return changed;
}
