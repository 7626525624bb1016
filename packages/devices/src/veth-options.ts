import { parseBits, toLxdError, validators, type ConfigSchema } from '@lxd-ts/core';
import { networksError } from './addresses.ts';

function rateError(value: string): string | undefined {
  try {
    parseBits(value);
    return undefined;
  } catch (error) {
    return toLxdError(error).message;
  }
}

/** Rates of a NIC whose host side is here to be limited. */
export const limitsSchema: ConfigSchema = {
  'limits.ingress': { check: rateError, description: 'Rate of what comes in, in bit/s', live: true },
  'limits.egress': { check: rateError, description: 'Rate of what goes out, in bit/s', live: true },
  'limits.max': { check: rateError, description: 'Rate in both directions, in bit/s', live: true },
};

export const routesSchema: ConfigSchema = {
  'ipv4.routes': {
    check: networksError(4),
    description: 'Networks that the host finds behind it',
    live: true,
  },
  'ipv6.routes': {
    check: networksError(6),
    description: 'Networks that the host finds behind it',
    live: true,
  },
};

export function vlanError(value: string): string | undefined {
  if (!/^\d+$/.test(value)) return `Invalid VLAN ID "${value}"`;
  return Number(value) <= 4094 ? undefined : `Out of VLAN ID range (0-4094) "${value}"`;
}

/** A VLAN of the parent, as an interface of its own. */
export const parentVlanSchema: ConfigSchema = {
  vlan: { check: vlanError, description: 'VLAN of the parent' },
  gvrp: { check: validators.bool, description: 'Whether the VLAN is announced by GVRP', default: 'false' },
};
