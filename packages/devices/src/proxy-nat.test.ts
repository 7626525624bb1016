import { parseProxyAddress, sockets } from './proxy-address.ts';
import { natRuleset, natTarget } from './proxy-nat.ts';
import { instanceWith } from './testing/device-suite.ts';

const instance = {
  ...instanceWith({ type: 'nic', 'ipv4.address': '10.1.2.5' }),
  project: 'blue',
};

test('a proxy by NAT sends on to an address that is its own, and to no other', () => {
  expect(natTarget(parseProxyAddress('tcp:0.0.0.0:80'), instance)).toBe('10.1.2.5');
  expect(natTarget(parseProxyAddress('tcp:10.1.2.5:80'), instance)).toBe('10.1.2.5');
  expect(() => natTarget(parseProxyAddress('tcp:10.1.2.6:80'), instance)).toThrow(
    /Connect IP "10.1.2.6" must be one of the instance's static IPv4 addresses/,
  );
  expect(() => natTarget(parseProxyAddress('tcp:[::]:80'), instance)).toThrow(/no static IPv6 address/);
});

test('its rules are in chains of its own', () => {
  const [listen, connect] = [parseProxyAddress('tcp:192.0.2.1:80-81'), parseProxyAddress('tcp:0.0.0.0:8080')];
  const text = natRuleset({ instance, name: 'a/b:c' }, listen, connect);
  expect(text).toContain('flush chain inet lxd-ts prert.blue_5f_c1.a_2f_b_3a_c\n');
  expect(text).toContain(
    'add rule inet lxd-ts prert.blue_5f_c1.a_2f_b_3a_c ip daddr 192.0.2.1 tcp dport 81 dnat ip to 10.1.2.5:8080\n',
  );
  expect(text.match(/masquerade/g)).toHaveLength(2);
});

test('addresses as one socket each', () => {
  expect(sockets(parseProxyAddress('udp:[::1]:5,7-8'))).toEqual([
    'udp:[::1]:5',
    'udp:[::1]:7',
    'udp:[::1]:8',
  ]);
  expect(sockets(parseProxyAddress('unix:@a:b'))).toEqual(['unix:@a:b']);
});
