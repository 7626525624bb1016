import { LxdError } from '@lxd-ts/core';
import type { InstanceFull } from '@lxd-ts/client';
import { binarySize, isUnsetTime, shortTime } from '../../format/units.ts';

export interface Column {
  title: string;
  cell: (instance: InstanceFull) => string;
  /** Needs the instance's state or snapshots, which cost the server more. */
  full?: boolean;
}

/** Addresses of a running instance as `address (interface)`, without loopback and link-local ones. */
export function addresses(instance: InstanceFull, family: string): string[] {
  return Object.entries(instance.state?.network ?? {})
    .filter(([name]) => name !== 'lo')
    .flatMap(([name, { addresses: list }]) =>
      (list ?? [])
        .filter((one) => one.family === family && one.scope !== 'link' && one.scope !== 'local')
        .map(({ address }) => `${address} (${name})`),
    )
    .sort()
    .reverse();
}

const rootDisk = ({
  expanded_devices: devices,
}: InstanceFull): [string, Readonly<Record<string, string>>] | undefined =>
  Object.entries(devices).find(([, { type, path }]) => type === 'disk' && path === '/');

const positive = (value: number | undefined, shown: (value: number) => string): string =>
  value !== undefined && value > 0 ? shown(value) : '';

const active = (instance: InstanceFull): boolean => instance.status !== 'Stopped';

function memoryPercent(instance: InstanceFull): string {
  const limit = /^(\d+)\s*([KMGTPE]?)(i?)B?$/i.exec(instance.expanded_config['limits.memory'] ?? '');
  const usage = instance.state?.memory.usage ?? 0;
  if (!limit || usage <= 0) return '';
  const power = 'KMGTPE'.indexOf((limit[2] ?? '').toUpperCase()) + 1;
  const bytes = Number(limit[1]) * (limit[3] ? 1024 : 1000) ** (limit[2] ? power : 0);
  return `${((usage / bytes) * 100).toFixed(1)}%`;
}

const shorthands: Readonly<Record<string, Column>> = {
  4: { title: 'IPV4', full: true, cell: (i) => (active(i) ? addresses(i, 'inet').join('\n') : '') },
  6: { title: 'IPV6', full: true, cell: (i) => (active(i) ? addresses(i, 'inet6').join('\n') : '') },
  a: { title: 'ARCHITECTURE', cell: (i) => i.architecture },
  b: { title: 'STORAGE POOL', cell: (i) => rootDisk(i)?.[1]['pool'] ?? '' },
  c: { title: 'CREATED AT', cell: (i) => (isUnsetTime(i.created_at) ? '' : shortTime(i.created_at)) },
  d: { title: 'DESCRIPTION', cell: (i) => i.description },
  D: {
    title: 'DISK USAGE',
    full: true,
    cell: (i) => positive(i.state?.disk?.[rootDisk(i)?.[0] ?? 'root']?.usage, binarySize),
  },
  e: { title: 'PROJECT', cell: (i) => i.project },
  f: { title: 'BASE IMAGE', cell: (i) => (i.config['volatile.base_image'] ?? '').slice(0, 12) },
  F: { title: 'BASE IMAGE', cell: (i) => i.config['volatile.base_image'] ?? '' },
  l: { title: 'LAST USED AT', cell: (i) => (isUnsetTime(i.last_used_at) ? '' : shortTime(i.last_used_at)) },
  L: { title: 'LOCATION', cell: (i) => i.location },
  m: {
    title: 'MEMORY USAGE',
    full: true,
    cell: (i) => (active(i) ? positive(i.state?.memory.usage, binarySize) : ''),
  },
  M: { title: 'MEMORY USAGE%', full: true, cell: (i) => (active(i) ? memoryPercent(i) : '') },
  n: { title: 'NAME', cell: (i) => i.name },
  N: { title: 'PROCESSES', full: true, cell: (i) => (active(i) ? String(i.state?.processes ?? '') : '') },
  p: { title: 'PID', full: true, cell: (i) => (active(i) ? String(i.state?.pid ?? '') : '') },
  P: { title: 'PROFILES', cell: (i) => i.profiles.join('\n') },
  s: { title: 'STATE', cell: (i) => i.status.toUpperCase() },
  S: { title: 'SNAPSHOTS', full: true, cell: (i) => String(i.snapshots?.length ?? 0) },
  t: {
    title: 'TYPE',
    cell: (i) => (i.type || 'container').toUpperCase() + (i.ephemeral ? ' (EPHEMERAL)' : ''),
  },
  u: {
    title: 'CPU USAGE',
    full: true,
    cell: (i) => (active(i) && i.state ? `${Math.floor(i.state.cpu.usage / 1e9)}s` : ''),
  },
};

function deviceCell(key: string): Column['cell'] {
  const [device = '', option = ''] = key.split('.');
  return (instance) => instance.expanded_devices[device]?.[option] ?? '';
}

/** `[config:|devices:]key[:title][:width]` */
function customColumn(text: string): Column {
  const parts = text.split(':');
  const kind = parts[0] === 'config' || parts[0] === 'devices' ? parts.shift() : 'config';
  const [key = '', name = '', width = ''] = parts;
  if (key === '' || parts.length > 3) throw new LxdError('invalid', `Invalid column "${text}"`);
  if (width !== '' && !/^(-1|\d+)$/.test(width)) {
    throw new LxdError(
      'invalid',
      `Invalid max width (must be -1, 0 or a positive integer) "${width}" in "${text}"`,
    );
  }
  if (kind === 'devices' && !key.includes('.')) {
    throw new LxdError('invalid', `Invalid device key "${key}" in "${text}": it is written device.option`);
  }
  const title = name === '' ? key.replaceAll('.', ' ').toUpperCase() : name.toUpperCase();
  const full =
    kind === 'devices' ? deviceCell(key) : (i: InstanceFull): string => i.expanded_config[key] ?? '';
  const most = width === '' ? -1 : width === '0' ? title.length : Number(width);
  return { title, cell: (instance) => (most < 0 ? full(instance) : full(instance).slice(0, most)) };
}

/** What `-c` means: shorthand letters and custom columns, e.g. `ns4,user.note:NOTE`. */
export function parseColumns(text: string): Column[] {
  return text.split(',').flatMap((part) => {
    if (part === '')
      throw new LxdError(
        'invalid',
        `Empty column entry (redundant, leading or trailing command) in '${text}'`,
      );
    if (/[.:]/.test(part)) return [customColumn(part)];
    return Array.from(part, (letter) => {
      const column = shorthands[letter];
      if (!column) throw new LxdError('invalid', `Unknown column shorthand char '${letter}' in '${part}'`);
      return column;
    });
  });
}
