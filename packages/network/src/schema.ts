import { isIP } from 'node:net';
import type { ConfigSchema } from '@lxd-ts/core';
import { validators } from '@lxd-ts/core';
import { networkOf, parseCidr } from './subnet.ts';

type Family = 4 | 6;

/** Empty, `none` and `auto`, or an address of this family with its prefix. */
const address = (family: Family) => (value: string) => {
  if (value === 'none' || value === 'auto') return undefined;
  const cidr = parseCidr(value);
  if (!cidr) return `invalid CIDR address: ${value}`;
  if (cidr.family !== family) return `Not an IPv${family} address "${value}"`;
  return cidr.value === networkOf(cidr) ? `Not a usable IPv${family} address "${value}"` : undefined;
};

const items = (value: string): string[] => value.split(',').map((item) => item.trim());

/** The first complaint about an item of a list. */
const each = (check: (item: string) => string | undefined) => (value: string) => {
  for (const item of items(value)) {
    const wrong = check(item);
    if (wrong !== undefined) return `Item "${item}": ${wrong}`;
  }
  return undefined;
};

const ip = (family: Family) => (value: string) =>
  isIP(value) === family ? undefined : `Not an IPv${family} address "${value}"`;

const ranges = (family: Family) =>
  each((range) => {
    const dash = range.indexOf('-');
    if (dash < 0) return 'IP range must contain start and end IP addresses';
    return ip(family)(range.slice(0, dash)) ?? ip(family)(range.slice(dash + 1));
  });

const subnets = (family: Family) =>
  each((text) => {
    const cidr = parseCidr(text);
    if (!cidr) return `invalid CIDR address: ${text}`;
    if (cidr.family !== family) return `Not an IPv${family} network "${text}"`;
    return cidr.value === networkOf(cidr) ? undefined : `Not an IPv${family} network address "${text}"`;
  });

const hwaddr = (value: string) =>
  /^([0-9a-f]{2}:){5}[0-9a-f]{2}$/i.test(value)
    ? undefined
    : 'Invalid MAC address, must be 6 bytes of hex separated by colons';

const [minMtu, maxMtu] = [1280, 16384];

const mtu = (value: string) => {
  if (!/^\d+$/.test(value)) return `Invalid MTU "${value}"`;
  const inRange = Number(value) >= minMtu && Number(value) <= maxMtu;
  return inRange ? undefined : `Out of MTU range (${minMtu}-${maxMtu}) "${value}"`;
};

const duration = (value: string) =>
  /^(\d+[smhdw]?|infinite)$/.test(value) ? undefined : `"${value}" is not a time; use 30m, 1h or 2d`;

function interfaceName(name: string): string | undefined {
  if (name.length < 2) return 'Network interface is too short (minimum 2 characters)';
  if (name.length > 15) return 'Network interface is too long (maximum 15 characters)';
  return /^[A-Za-z0-9._-]+$/.test(name) && name !== '..'
    ? undefined
    : 'Network interface contains invalid characters';
}

const interfaceNames = (value: string) => {
  for (const name of items(value)) {
    const wrong = interfaceName(name);
    if (wrong !== undefined) return `Invalid interface name "${name}": ${wrong}`;
  }
  return undefined;
};

/** One line of dnsmasq's configuration must not become two. */
const domains = (value: string) =>
  /^[\w.-]+(,\s*[\w.-]+)*$/.test(value) ? undefined : `"${value}" is not a domain name`;

const bool = validators.bool;
const { any, oneOf } = validators;

export const bridgeSchema: ConfigSchema = {
  'bridge.driver': { check: oneOf('native'), description: 'Kind of bridge', default: 'native' },
  'bridge.hwaddr': { check: hwaddr, description: 'MAC address of the bridge' },
  'bridge.mode': { check: oneOf('standard'), description: 'Mode of the bridge', default: 'standard' },
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
  'ipv4.nat.address': { check: ip(4), description: 'Source address of what leaves' },
  'ipv4.nat.order': {
    check: oneOf('before', 'after'),
    description: 'Before or after other rules; without effect, as the rules are in chains of their own',
    default: 'before',
  },
  'ipv4.dhcp': { check: bool, description: 'Whether to hand out addresses', default: 'true' },
  'ipv4.dhcp.expiry': { check: duration, description: 'How long a lease is good', default: '1h' },
  'ipv4.dhcp.gateway': { check: ip(4), description: 'Router told to clients', default: 'ipv4.address' },
  'ipv4.dhcp.ranges': { check: ranges(4), description: 'Addresses to hand out (FIRST-LAST, …)' },
  'ipv4.firewall': { check: bool, description: 'Whether to add filter rules', default: 'true' },
  'ipv4.routes': { check: subnets(4), description: 'More subnets to route to the bridge' },
  'ipv4.routing': { check: bool, description: 'Whether to route in and out', default: 'true' },
  'ipv6.address': { check: address(6), description: 'Address of the bridge, auto or none', default: 'auto' },
  'ipv6.nat': { check: bool, description: 'Whether to masquerade', default: 'false' },
  'ipv6.nat.address': { check: ip(6), description: 'Source address of what leaves' },
  'ipv6.nat.order': {
    check: oneOf('before', 'after'),
    description: 'Before or after other rules; without effect, as the rules are in chains of their own',
    default: 'before',
  },
  'ipv6.dhcp': { check: bool, description: 'Whether to give settings over DHCP', default: 'true' },
  'ipv6.dhcp.expiry': { check: duration, description: 'How long a lease is good', default: '1h' },
  'ipv6.dhcp.ranges': { check: ranges(6), description: 'Addresses to hand out (stateful)' },
  'ipv6.dhcp.stateful': { check: bool, description: 'Whether DHCP hands out addresses', default: 'false' },
  'ipv6.firewall': { check: bool, description: 'Whether to add filter rules', default: 'true' },
  'ipv6.routes': { check: subnets(6), description: 'More subnets to route to the bridge' },
  'ipv6.routing': { check: bool, description: 'Whether to route in and out', default: 'true' },
  'raw.dnsmasq': { check: any, description: 'More lines for the configuration of dnsmasq' },
  'user.*': { check: any, description: 'Free for the user' },
};
