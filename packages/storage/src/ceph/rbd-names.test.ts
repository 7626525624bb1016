import type { VolumeRef } from '../driver.ts';
import { imageName, volumeOfImage } from './rbd-names.ts';

const names: [string, VolumeRef][] = [
  ['container_c1', { type: 'container', project: 'default', name: 'c1' }],
  ['container_blue_my-c1', { type: 'container', project: 'blue', name: 'my-c1' }],
  ['custom_default_my-vol_x', { type: 'custom', project: 'default', name: 'my-vol_x' }],
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
  'custom_default_disk.block',
  'image_0123',
])('%s is no volume of ours', (name) => {
  expect(volumeOfImage(name)).toBeUndefined();
});
