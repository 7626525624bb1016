import { checkConfig } from '@lxd-ts/core';
import { storageDrivers } from './registry.ts';

test.each(storageDrivers)('nothing that $type is told is an option to its tools', ({ schema }) => {
  for (const [key, { check }] of Object.entries(schema))
    if (/^source$|pool_name$|vg_name$|cluster_name$|user\.name$|features$/.test(key)) {
      expect(check('-f')).toMatch(/./);
      expect(check('plain-1.name')).toBeUndefined();
    }
  expect(() => checkConfig(schema, { source: '--help' }, 'pool')).toThrow('"-"');
});

test.each(['ceph.cluster_name', 'cephfs.cluster_name', 'cephfs.user.name'])(
  '%s is no more than a name',
  (key) => {
    const driver = storageDrivers.find(({ type }) => key.startsWith(`${type}.`));
    for (const value of ['../x', 'a,b', 'a/b', 'a b']) expect(driver?.schema[key]?.check(value)).toMatch(/./);
  },
);
