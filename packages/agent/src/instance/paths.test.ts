import { instancePaths, refOfId } from './paths.ts';

test("follows LXD's layout, with the project's name before the instance's but for the default one", () => {
  const paths = instancePaths('/var/lib/lxd-ts', { project: 'blue', name: 'c1' });
  expect(paths.id).toBe('blue_c1');
  expect(paths.link).toBe('/var/lib/lxd-ts/containers/blue_c1');
  expect(paths.lxcLog).toBe('/var/lib/lxd-ts/logs/blue_c1/lxc.log');
  expect(instancePaths('/d', { project: 'default', name: 'c1' }).link).toBe('/d/containers/c1');
});

test.each([
  { project: 'default', name: 'c1' },
  { project: 'blue', name: 'c-1' },
])('an instance is found again by its name on disk', (ref) => {
  expect(refOfId(instancePaths('/d', ref).id)).toEqual(ref);
});
