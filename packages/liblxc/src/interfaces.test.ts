import { parseInterfaces } from './interfaces.ts';

test('joins links and their addresses', () => {
  const text = [
    'link lo 65609 65536 ',
    'link eth0 69699 1500 00:16:3e:00:00:01',
    'inet lo 127.0.0.1 8',
    'inet6 eth0 fe80::1 64',
    '',
  ].join('\n');
  expect(parseInterfaces(text)).toEqual([
    {
      name: 'lo',
      up: true,
      kind: 'loopback',
      mtu: 65536,
      hwaddr: '',
      addresses: [{ family: 'inet', address: '127.0.0.1', prefix: 8 }],
    },
    {
      name: 'eth0',
      up: true,
      kind: 'broadcast',
      mtu: 1500,
      hwaddr: '00:16:3e:00:00:01',
      addresses: [{ family: 'inet6', address: 'fe80::1', prefix: 64 }],
    },
  ]);
});
