import type { VolumeRef } from '../driver.ts';
import { datasetName, snapshotName, volumeOfDataset } from './dataset-names.ts';

const c1: VolumeRef = { type: 'container', project: 'blue', name: 'c-1' };

test('volumes are datasets, snapshots are theirs or datasets beside them', () => {
  expect(datasetName(c1)).toBe('containers/blue_c-1');
  expect(volumeOfDataset('containers/blue_c-1')).toEqual({ volume: c1, within: false });
  const s1 = { ...c1, snapshot: 's1' };
  expect(snapshotName(s1)).toBe('containers/blue_c-1@snapshot-s1');
  expect(volumeOfDataset('containers/blue_c-1@snapshot-s1')).toEqual({ volume: s1, within: true });
  expect(datasetName(s1)).toBe('containers-snapshots/blue_c-1/s1');
  expect(volumeOfDataset('containers-snapshots/blue_c-1/s1')).toEqual({ volume: s1, within: false });
});

test.each([
  'containers',
  'containers/c1@copy-0123',
  'images/0123abcd@readonly',
  'containers-snapshots/c1',
  'containers-snapshots/c1/s1@copy-0123',
  'deleted/containers/0123',
  'virtual-machines/v1',
])('%s is no volume of ours', (name) => {
  expect(volumeOfDataset(name)).toBeUndefined();
});
