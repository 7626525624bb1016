import { parseSize, toLxdError, validators, type ConfigSchema } from '@lxd-ts/core';

/** A check: bytes, or a number with a suffix. */
export const size = (value: string): string | undefined => {
  try {
    parseSize(value);
    return undefined;
  } catch (error) {
    return toLxdError(error).message;
  }
};

/** A check: a name that is given to programs, and is no option to any of them. */
export const toolName = (value: string): string | undefined =>
  value.startsWith('-') ? 'Value may not begin with "-"' : undefined;

/** Options every pool has, whatever its driver. */
export const commonSchema: ConfigSchema = {
  source: { check: toolName, description: 'Where the pool is', memberSpecific: true },
  'volatile.initial_source': {
    check: validators.any,
    description: 'The source as it was given when the pool was made',
    memberSpecific: true,
  },
  'rsync.bwlimit': {
    check: size,
    description: 'Upper limit per second when data is copied by rsync',
    live: true,
  },
  'rsync.compression': {
    check: validators.bool,
    description: 'Whether rsync compresses',
    default: 'true',
    live: true,
  },
  'volume.size': { check: size, description: 'Size limit of new volumes', live: true },
  'volume.security.shifted': {
    check: validators.bool,
    description: '`security.shifted` of new volumes',
    live: true,
  },
  'volume.security.unmapped': {
    check: validators.bool,
    description: '`security.unmapped` of new volumes',
    live: true,
  },
  'volume.snapshots.expiry': {
    check: validators.any,
    description: '`snapshots.expiry` of new volumes',
    live: true,
  },
  'volume.snapshots.pattern': {
    check: validators.any,
    description: '`snapshots.pattern` of new volumes',
    live: true,
  },
  'volume.snapshots.schedule': {
    check: validators.any,
    description: '`snapshots.schedule` of new volumes',
    live: true,
  },
  'user.*': { check: validators.any, description: 'Free for the user', live: true },
};

export const sizeSchema: ConfigSchema = {
  size: { check: size, description: 'Size of the loop file', memberSpecific: true },
};
