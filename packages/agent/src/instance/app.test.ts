import type { NetworkSpec } from '@lxd-ts/core';
import { hostsFile, resolvConf } from './app.ts';

const network = (config: Record<string, string>): NetworkSpec => ({
  ...{ project: 'default', name: 'br', type: 'bridge' },
  config,
});

test('names are asked of the networks that answer', () => {
  expect(resolvConf([network({ 'ipv4.address': '10.0.0.1/24' })])).toBe('search lxd\nnameserver 10.0.0.1\n');
  expect(
    resolvConf([
      network({ 'ipv4.address': 'none', 'ipv6.address': 'fd00::1/64', 'dns.domain': 'a' }),
      network({ 'ipv4.address': '10.0.0.1/24', 'dns.search': 'b, c' }),
    ]),
  ).toBe('search a b c\nnameserver fd00::1\nnameserver 10.0.0.1\n');
  expect(resolvConf([network({ 'ipv4.address': '10.0.0.1/24', 'dns.mode': 'none' })])).toBe('');
  expect(resolvConf([])).toBe('');
});

test('it knows itself by its address, or by one of the loopback', () => {
  expect(hostsFile('c1', ['10.0.0.2'])).toContain('\n10.0.0.2\tc1\n');
  expect(hostsFile('c1', [])).toContain('\n127.0.1.1\tc1\n');
});
