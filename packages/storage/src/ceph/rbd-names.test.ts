import type { VolumeRef } from '../driver.ts';
import { imageName, volumeOfImage } from './rbd-names.ts';

const names: [string, VolumeRef][] = [
  ['container_c1', { type: 'container', project: 'default', name: 'c1' }],
  ['container_blue_my-c1', { type: 'container', project: 'blue', name: 'my-c1' }],
  ['custom_default_my-vol_x', { type: 'custom', project: 'default', name: 'my-vol_x' }],
  ['custom_default_disk.block', { type: 'custom', project: 'default', name: 'disk', block: true }],
  [
    'custom-snapshot_default_my--disk-s0.block',
    { type: 'custom', project: 'default', name: 'my-disk', snapshot: 's0', block: true },
  ],
  ['image_0123abcd_ext4', { type: 'image', project: 'default', name: '0123abcd' }],
  [
    'container-snapshot_my--c1-be--fore',
    { type: 'container', project: 'default', name: 'my-c1', snapshot: 'be-fore' },
  ],
];

test.each(names)('%s', (name, volume) => {
  expect(imageName(volume, 'ext4')).toBe(name);
  expect(volumeOfImage(name)?.volume).toEqual(volume);
});

test.each([
  'lxd_pool',
  'zombie_container_c1_x',
  'virtual-machine_v1',
  'virtual-machine_v1.block',
  'container_c1.block',
  'custom_default_cd.iso',
  'image_0123',
])('%s is no volume of ours', (name) => {
  expect(volumeOfImage(name)).toBeUndefined();
});
