import { validators } from '@lxd-ts/core';

/** Checks that several devices share. */
export const checks = {
  hwaddr: (value: string) =>
    /^([0-9a-f]{2}:){5}[0-9a-f]{2}$/i.test(value)
      ? undefined
      : 'Invalid MAC address, must be 6 bytes of hex separated by colons',
  mtu: (value: string) => (/^\d+$/.test(value) && Number(value) >= 68 ? undefined : `Invalid MTU "${value}"`),
  interfaceName: (value: string) =>
    /^[^\s/:]{1,15}$/.test(value) && value !== '.' && value !== '..'
      ? undefined
      : `"${value}" is not the name of a network interface (1 to 15 characters, no slash, colon or space)`,
  absolutePath: (value: string) =>
    value.startsWith('/') && !/[\0\n]/.test(value) ? undefined : `"${value}" must be an absolute path`,
  mode: (value: string) => (/^0?[0-7]{3}$/.test(value) ? undefined : `"${value}" is not a mode such as 0660`),
  deviceNumber: validators.unsigned,
} as const;
