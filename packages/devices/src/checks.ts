import { posix } from 'node:path';
import { validators, type ConfigSchema } from '@lxd-ts/core';

const [minMtu, maxMtu] = [1280, 16384];

function interfaceName(value: string): string | undefined {
  if (value.length < 2) return 'Network interface is too short (minimum 2 characters)';
  if (value.length > 15) return 'Network interface is too long (maximum 15 characters)';
  return /^[A-Za-z0-9._-]+$/.test(value) && value !== '..'
    ? undefined
    : 'Network interface contains invalid characters';
}

const hasControl = (value: string): boolean => /\p{Cc}/u.test(value);

/** Checks that several devices share. All of them refuse what would end a line or a field of the LXC configuration. */
export const checks = {
  hwaddr: (value: string) =>
    /^([0-9a-f]{2}:){5}[0-9a-f]{2}$/i.test(value)
      ? undefined
      : 'Invalid MAC address, must be 6 bytes of hex separated by colons',
  mtu: (value: string) => {
    if (!/^\d+$/.test(value)) return `Invalid MTU "${value}"`;
    const inRange = Number(value) >= minMtu && Number(value) <= maxMtu;
    return inRange ? undefined : `Out of MTU range (${minMtu}-${maxMtu}) "${value}"`;
  },
  interfaceName,
  line: (value: string) => (hasControl(value) ? 'Must be one line of text' : undefined),
  absolutePath: (value: string) =>
    value.startsWith('/') && !hasControl(value) ? undefined : `"${value}" must be an absolute path`,
  pathInside: (value: string) =>
    hasControl(value) || (value !== '/' && pathInside(value) === '')
      ? `"${value}" is not a path inside the instance`
      : undefined,
  mountOptions: (value: string) => (/^[^\s\p{Cc}]*$/u.test(value) ? undefined : 'Must not contain spaces'),
  mode: (value: string) => (/^0?[0-7]{3}$/.test(value) ? undefined : 'Invalid value for an octal file mode'),
  deviceNumber: (value: string) =>
    /^\d{1,8}$/.test(value) ? undefined : 'Invalid value for a UNIX device number',
  id: (value: string) =>
    /^\d{1,10}$/.test(value) && Number(value) < 2 ** 32 ? undefined : 'Invalid value for a UNIX ID',
} as const;

/** What any device may have. */
export const anyDevice = (type: string): ConfigSchema => ({
  type: { check: validators.any, required: true, description: type },
  'user.*': { check: validators.any, description: 'Free for the user' },
});

/** A path as seen inside, without its first slash. No `..` leads out: liblxc would follow it on the host. */
export const pathInside = (path: string): string => posix.join('/', path).replace(/^\/+|\/+$/g, '');

/** For a field of a mount entry, which ends at a space. */
export const escapeField = (path: string): string =>
  path.replaceAll('\\', '\\134').replaceAll(' ', '\\040').replaceAll('\t', '\\011');

/** Undefined when a device may be called so, or why not. */
export function deviceNameError(name: string): string | undefined {
  if (name.length > 64) return 'The maximum device name length is 64 characters';
  if (name.length === 0) return 'Name must be 1-64 characters long';
  if (name.startsWith('.')) return 'Name must not start with "." character';
  return /^[A-Za-z0-9/:_.-]+$/.test(name)
    ? undefined
    : 'Name can only contain alphanumeric, forward slash, hyphen, colon, underscore and full stop characters';
}
