import { isIP, isIPv4, isIPv6 } from 'node:net';
import type { ConfigSchema } from '@lxd-ts/core';
import { validators } from '@lxd-ts/core';
import { parseCidr } from './subnet.ts';

/** Empty, `none` and `auto`, or an address of this family with its prefix. */
const address = (family: 4 | 6) => (value: string) => {
  if (value === 'none' || value === 'auto') return undefined;
  const cidr = parseCidr(value);
  if (!cidr) return `invalid CIDR address: ${value}`;
  return cidr.family === family ? undefined : `Not an IPv${family} address "${value}"`;
};

const ranges = (value: string) => {
  for (const range of value.split(',')) {
    for (const end of range.trim().split('-')) {
      if (!isIPv4(end)) return `Item "${range.trim()}": Not an IPv4 address "${end}"`;
    }
  }
  return undefined;
};

const ranges6 = (value: string) => {
  const wrong = value.split(/[,-]/).find((end) => !isIPv6(end.trim()));
  return wrong === undefined ? undefined : `Not an IPv6 address "${wrong.trim()}"`;
};

const subnets = (value: string) => {
  const wrong = value.split(',').find((text) => !parseCidr(text.trim()));
  return wrong === undefined ? undefined : `Item "${wrong.trim()}": invalid CIDR address: ${wrong.trim()}`;
};

const hwaddr = (value: string) =>
  /^([0-9a-f]{2}:){5}[0-9a-f]{2}$/i.test(value)
    ? undefined
    : 'Invalid MAC address, must be 6 bytes of hex separated by colons';

const mtu = (value: string) =>
  /^\d+$/.test(value) && Number(value) >= 68 ? undefined : `Invalid MTU "${value}"`;

const duration = (value: string) =>
  /^(\d+[smhdw]?|infinite)$/.test(value) ? undefined : `"${value}" is not a time; use 30m, 1h or 2d`;

const ip = (value: string) => (isIP(value) ? undefined : `Not an IP address "${value}"`);

const interfaceNames = (value: string) => {
  const wrong = value.split(',').find((name) => !/^[^\s/:]{1,15}$/.test(name.trim()));
  return wrong === undefined ? undefined : `"${wrong}" is not the name of a network interface`;
};

/** One line of dnsmasq's configuration must not become two. */
const domains = (value: string) =>
  /^[\w.-]+(,\s*[\w.-]+)*$/.test(value) ? undefined : `"${value}" is not a domain name`;

const bool = validators.bool;
const { any, oneOf } = validators;

export const bridgeSchema: ConfigSchema = {
  'bridge.driver': { check: oneOf('native'), description: 'Kind of bridge', default: 'native' },
  'bridge.hwaddr': { check: hwaddr, description: 'MAC address of the bridge' },
  'bridge.mtu': { check: mtu, description: 'MTU of the bridge', default: '1500' },
  'bridge.external_interfaces': {
    check: interfaceNames,
    description: 'Interfaces of the host that become ports',
    memberSpecific: true,
  },
  'dns.domain': { check: domains, description: 'Domain that instances are found in', default: 'lxd' },
  'dns.mode': {
    check: oneOf('dynamic', 'managed', 'none'),
    description: 'Where names come from',
    default: 'managed',
  },
  'dns.search': { check: domains, description: 'Search domains for DHCP clients', default: 'dns.domain' },
  'ipv4.address': { check: address(4), description: 'Address of the bridge, auto or none', default: 'auto' },
  'ipv4.nat': { check: bool, description: 'Whether to masquerade', default: 'false' },
  'ipv4.nat.address': { check: ip, description: 'Source address of what leaves' },
  'ipv4.dhcp': { check: bool, description: 'Whether to hand out addresses', default: 'true' },
  'ipv4.dhcp.expiry': { check: duration, description: 'How long a lease is good', default: '1h' },
  'ipv4.dhcp.gateway': { check: ip, description: 'Router told to clients', default: 'ipv4.address' },
  'ipv4.dhcp.ranges': { check: ranges, description: 'Addresses to hand out (FIRST-LAST, …)' },
  'ipv4.firewall': { check: bool, description: 'Whether to add filter rules', default: 'true' },
  'ipv4.routes': { check: subnets, description: 'More subnets to route to the bridge' },
  'ipv4.routing': { check: bool, description: 'Whether to route in and out', default: 'true' },
  'ipv6.address': { check: address(6), description: 'Address of the bridge, auto or none', default: 'auto' },
  'ipv6.nat': { check: bool, description: 'Whether to masquerade', default: 'false' },
  'ipv6.nat.address': { check: ip, description: 'Source address of what leaves' },
  'ipv6.dhcp': { check: bool, description: 'Whether to give settings over DHCP', default: 'true' },
  'ipv6.dhcp.expiry': { check: duration, description: 'How long a lease is good', default: '1h' },
  'ipv6.dhcp.ranges': { check: ranges6, description: 'Addresses to hand out (stateful)' },
  'ipv6.dhcp.stateful': { check: bool, description: 'Whether DHCP hands out addresses', default: 'false' },
  'ipv6.firewall': { check: bool, description: 'Whether to add filter rules', default: 'true' },
  'ipv6.routes': { check: subnets, description: 'More subnets to route to the bridge' },
  'ipv6.routing': { check: bool, description: 'Whether to route in and out', default: 'true' },
  'raw.dnsmasq': { check: any, description: 'More lines for the configuration of dnsmasq' },
  'user.*': { check: any, description: 'Free for the user' },
  'volatile.*': { check: any, description: 'Kept by the system' },
};
