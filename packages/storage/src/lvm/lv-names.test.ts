import type { VolumeRef } from '../driver.ts';
import { lvName, volumeOfLv } from './lv-names.ts';

const names: [string, VolumeRef][] = [
  ['containers_c1', { type: 'container', project: 'default', name: 'c1' }],
  ['containers_blue_my--c1', { type: 'container', project: 'blue', name: 'my-c1' }],
  ['containers_c1-snap0', { type: 'container', project: 'default', name: 'c1', snapshot: 'snap0' }],
  ['containers_c--1-be--fore', { type: 'container', project: 'default', name: 'c-1', snapshot: 'be-fore' }],
  ['custom_default_my--vol_x', { type: 'custom', project: 'default', name: 'my-vol_x' }],
  ['custom_default_my--disk.block', { type: 'custom', project: 'default', name: 'my-disk', block: true }],
  [
    'custom_default_disk-be--fore.block',
    { type: 'custom', project: 'default', name: 'disk', snapshot: 'be-fore', block: true },
  ],
  ['images_0123abcd', { type: 'image', project: 'default', name: '0123abcd' }],
];

test.each(names)('%s', (name, volume) => {
  expect(lvName(volume)).toBe(name);
  expect(volumeOfLv(name)).toEqual(volume);
});

test.each([
  'LXDThinPool',
  'virtual-machines_v1.block',
  'custom_default_cd.iso',
  'images_0123.block',
  'containers_',
  'root',
])('%s is no volume of ours', (name) => {
  expect(volumeOfLv(name)).toBeUndefined();
});
