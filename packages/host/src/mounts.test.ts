import { parseMountinfo } from './mounts.ts';

test('reads sources, targets and options, also with spaces in names', () => {
  const text = '36 35 98:0 /sub /mnt/a\\040b rw,noatime shared:1 - btrfs /dev/loop0 rw,subvol=/x\n';
  expect(parseMountinfo(text)).toEqual([
    {
      source: '/dev/loop0',
      target: '/mnt/a b',
      fsType: 'btrfs',
      options: ['rw', 'noatime', 'rw', 'subvol=/x'],
    },
  ]);
});
