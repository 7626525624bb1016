import { checkConfig } from '@lxd-ts/core';
import { bridgeSchema } from './schema.ts';

const check = (key: string, value: string) => () => {
  checkConfig(bridgeSchema, { [key]: value }, 'network "br0"');
};

test.each([
  ['ipv4.address', '10.1.2.3', 'invalid CIDR address: 10.1.2.3'],
  ['ipv4.address', '10.1.2.0/24', 'Not a usable IPv4 address "10.1.2.0/24"'],
  ['ipv4.address', '10.1.2.1/32', 'Not a usable IPv4 address "10.1.2.1/32"'],
  ['ipv4.address', 'fd42::1/64', 'Not an IPv4 address "fd42::1/64"'],
  ['ipv6.address', 'fd42::/64', 'Not a usable IPv6 address "fd42::/64"'],
  ['ipv4.dhcp.gateway', 'fd42::1', 'Not an IPv4 address "fd42::1"'],
  ['ipv4.dhcp.ranges', '10.1.2.5', 'Item "10.1.2.5": IP range must contain start and end IP addresses'],
  ['ipv4.dhcp.ranges', '10.1.2.5-10.1.2.9, a-b', 'Item "a-b": Not an IPv4 address "a"'],
  ['ipv4.dhcp.ranges', '10.1.2.5-10.1.2.9-10.1.2.12', 'Not an IPv4 address "10.1.2.9-10.1.2.12"'],
  ['ipv6.dhcp.ranges', 'fd42::1-x', 'Item "fd42::1-x": Not an IPv6 address "x"'],
  ['ipv4.routes', '10.1.2.0', 'Item "10.1.2.0": invalid CIDR address: 10.1.2.0'],
  ['ipv4.routes', 'fd42::/64', 'Item "fd42::/64": Not an IPv4 network "fd42::/64"'],
  ['ipv4.routes', '10.1.2.3/24', 'Item "10.1.2.3/24": Not an IPv4 network address "10.1.2.3/24"'],
  ['ipv6.nat.address', '192.0.2.1', 'Not an IPv6 address "192.0.2.1"'],
  ['bridge.mtu', 'x', 'Invalid MTU "x"'],
  ['bridge.mtu', '1279', 'Out of MTU range (1280-16384) "1279"'],
  ['bridge.hwaddr', '00163e000001', 'Invalid MAC address'],
  ['bridge.external_interfaces', 'eth0,a/b', 'Invalid interface name "a/b"'],
  ['bridge.external_interfaces', 'averyveryverylongname', 'too long (maximum 15 characters)'],
  ['volatile.made.up', 'x', 'unknown key "volatile.made.up"'],
])('%s may not be %s', (key, value, message) => {
  expect(check(key, value)).toThrow(message);
});

test.each([
  ['ipv4.address', 'auto'],
  ['ipv4.address', 'none'],
  ['ipv4.address', '10.1.2.1/31'],
  ['ipv6.address', 'fd42::1/48'],
  ['ipv4.dhcp.ranges', '10.1.2.5-10.1.2.9, 10.1.2.20-10.1.2.29'],
  ['ipv4.dhcp.expiry', 'infinite'],
  ['ipv4.routes', '10.0.0.0/24, 10.0.1.0/24'],
  ['ipv4.nat.order', 'after'],
  ['bridge.external_interfaces', 'eth0, eth1.5'],
  ['bridge.mode', 'standard'],
  ['user.note', 'anything'],
  ['bridge.mtu', ''],
])('%s may be %s', (key, value) => {
  expect(check(key, value)).not.toThrow();
});
