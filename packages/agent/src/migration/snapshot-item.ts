import { LxdError } from '@lxd-ts/core';
import type { MigratedSnapshot, wire } from '@lxd-ts/rpc';

/** By LXD's numbers, from 1. */
const architectures = [
  'unknown',
  'i686',
  'x86_64',
  'armv7l',
  'aarch64',
  'ppc',
  'ppc64',
  'ppc64le',
  's390x',
  'mips',
  'mips64',
  'riscv32',
  'riscv64',
  'armv6l',
  'armv8l',
];

/** How the peers write "no time": the first second of the year 1. */
const never = -62_135_596_800;

const toSeconds = (time: string): number => (time ? Math.floor(Date.parse(time) / 1000) : never);

/** What has no time was written as one before 1970. */
const toTime = (seconds: number | undefined): string =>
  seconds === undefined || seconds <= 0 ? '' : new Date(seconds * 1000).toISOString();

const toItems = (config: Readonly<Record<string, string>>): wire.ConfigItem[] =>
  Object.entries(config).map(([key, value]) => ({ key, value }));

const toConfig = (items: readonly wire.ConfigItem[]): Record<string, string> =>
  Object.fromEntries(items.map(({ key = '', value = '' }) => [key, value]));

export function snapshotItem(snapshot: MigratedSnapshot): wire.SnapshotItem {
  return {
    name: snapshot.name,
    config: toItems(snapshot.config),
    profiles: [...snapshot.profiles],
    ephemeral: snapshot.ephemeral,
    devices: Object.entries(snapshot.devices).map(([name, config]) => ({ name, config: toItems(config) })),
    architecture: Math.max(0, architectures.indexOf(snapshot.architecture)),
    stateful: snapshot.stateful,
    created: toSeconds(snapshot.createdAt),
    lastUsed: toSeconds(snapshot.lastUsedAt),
    expires: toSeconds(snapshot.expiresAt),
  };
}

export function migratedSnapshot(item: wire.SnapshotItem): MigratedSnapshot {
  return {
    name: item.name ?? '',
    config: toConfig(item.config),
    profiles: item.profiles,
    ephemeral: item.ephemeral ?? false,
    devices: Object.fromEntries(item.devices.map(({ name = '', config }) => [name, toConfig(config)])),
    architecture: architectures[item.architecture ?? 0] ?? '',
    stateful: item.stateful ?? false,
    createdAt: toTime(item.created),
    lastUsedAt: toTime(item.lastUsed),
    expiresAt: toTime(item.expires),
  };
}

/** It becomes a file's name. @throws LxdError `invalid` */
export function checkSnapshotName(name: string): string {
  if (name === '' || name === '.' || name === '..' || name.includes('/') || name.includes('\0'))
    throw new LxdError('invalid', `The other server named a snapshot that cannot be: "${name}"`);
  return name;
}
