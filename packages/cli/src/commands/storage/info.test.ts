import { usersByKind } from './info.ts';

it('names what is in a pool by its kind, snapshots with what they are of', () => {
  expect(
    usersByKind([
      '/1.0/instances/c1',
      '/1.0/instances/c1/snapshots/s0',
      '/1.0/profiles/p?project=x',
      '/1.0/storage-pools/b/volumes/custom/v',
      '/1.0/storage-pools/b/volumes/custom/v/snapshots/s%201',
    ]),
  ).toEqual({
    instances: ['c1', 'c1/s0'],
    profiles: ['p (project "x")'],
    volumes: ['v', 'v/s 1'],
  });
});
