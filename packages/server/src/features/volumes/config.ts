import { findKey, isTrue, LxdError, parseSize, type Config, type ConfigSchema } from '@lxd-ts/core';
import * as check from '../instances/config-checks.ts';

export const volumeSchema: ConfigSchema = {
  size: { check: check.size, description: 'How much may be written to it' },
  'security.shifted': {
    check: check.bool,
    description: 'For instances of different id maps',
    default: 'false',
  },
  'security.unmapped': { check: check.bool, description: 'Owners are those of the host', default: 'false' },
  'snapshots.expiry': { check: check.expiry, description: 'When snapshots are deleted, e.g. `1w 3d`' },
  'snapshots.pattern': { check: check.any, description: 'Names of snapshots', default: 'snap%d' },
  'snapshots.schedule': { check: check.schedule, description: 'When snapshots are made' },
  'user.*': { check: check.any, description: 'Free for the user' },
  'volatile.*': { check: check.any, description: 'Of other servers; kept' },
};

/** It becomes a part of a directory's name. @throws LxdError `invalid` */
export function checkVolumeName(name: string): void {
  const wrong = (message: string) => new LxdError('invalid', message);
  if (name === '') throw wrong('No name provided');
  if (name.includes('/')) throw wrong('Storage volume names may not contain slashes');
  if (name === '.' || name === '..') throw wrong(`Storage volume name "${name}" is not allowed`);
  // eslint-disable-next-line no-control-regex -- these are what is refused
  if (/[\u0000-\u001f\u007f]/.test(name))
    throw wrong('Storage volume names may not contain control characters');
  if (Buffer.byteLength(name) > 200) throw wrong('Storage volume names may have 200 bytes at most');
}

/** @throws LxdError `internal`, worded and coded as LXD's */
export function checkVolumeConfig(project: string, name: string, config: Config): void {
  const volume = `volume "${project}_${name}" option`;
  for (const [key, value] of Object.entries(config)) {
    const found = findKey(volumeSchema, key);
    if (!found) throw new LxdError('internal', `Invalid option for ${volume} "${key}"`);
    const wrong = value === '' ? undefined : found.check(value);
    if (wrong !== undefined) throw new LxdError('internal', `Invalid value for ${volume} "${key}": ${wrong}`);
  }
  if (isTrue(config['security.unmapped']) && isTrue(config['security.shifted']))
    throw new LxdError('internal', 'security.unmapped and security.shifted are mutually exclusive');
}

/** What is not said otherwise is as the pool says of new volumes. */
export const withDefaults = (pool: Config, given: Config): Config => ({
  ...Object.fromEntries(
    Object.entries(pool)
      .filter(([key, value]) => key.startsWith('volume.') && value !== '')
      .map(([key, value]): [string, string] => [key.slice('volume.'.length), value])
      // Others are the driver's.
      .filter(([key]) => findKey(volumeSchema, key) !== undefined),
  ),
  ...given,
});

/** Bytes; null: no limit. */
export const limitOf = ({ size }: Config): number | null => {
  const bytes = size ? parseSize(size) : 0;
  return bytes > 0 ? bytes : null;
};
