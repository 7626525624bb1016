import { filterRuleset, linkLocal } from './nic-filter.ts';
import { instanceWith } from './testing/device-suite.ts';

test('the address that an interface gives itself', () => {
  expect(linkLocal('00:16:3e:00:00:01')).toBe('fe80::216:3eff:fe00:1');
});

test('a NIC speaks as itself only, to the host and to its neighbours', () => {
  const config = { type: 'nic', 'security.ipv4_filtering': 'true', 'ipv4.address': '10.1.2.5' };
  const text = filterRuleset(
    { instance: instanceWith(config), name: 'd1', config },
    'veth1',
    '00:16:3e:00:00:01',
  );
  for (const chain of ['in.c1.d1', 'fwd.c1.d1']) {
    expect(text).toContain(
      `add rule bridge lxd-ts ${chain} iifname "veth1" ether saddr != 00:16:3e:00:00:01 drop`,
    );
    expect(text).toContain(`${chain} iifname "veth1" ether type arp arp saddr ip != 10.1.2.5 drop`);
  }
  expect(text).not.toContain('ip6');
});

test('nor does it answer for an IPv6 address that is not its own', () => {
  const config = { type: 'nic', 'security.ipv6_filtering': 'true', 'ipv6.address': 'fd42::b' };
  const text = filterRuleset(
    { instance: instanceWith(config), name: 'd1', config },
    'veth1',
    '00:16:3e:00:00:01',
  );
  expect(text).toContain('ip6 saddr != { fd42::b, fe80::216:3eff:fe00:1 } drop');
  expect(text).toContain(
    'nd-neighbor-advert @nh,384,128 != 0xfd42000000000000000000000000000b @nh,384,128 != 0xfe8000000000000002163efffe000001 drop',
  );
});
