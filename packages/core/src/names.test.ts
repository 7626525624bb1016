import fc from 'fast-check';
import {
  checkAliasName,
  checkInstanceName,
  checkNetworkName,
  checkPoolName,
  checkProfileName,
} from './names.ts';

test.each(['c1', 'A1', 'a', 'a--b', 'a'.repeat(63)])('%s can be an instance', (name) =>
  checkInstanceName(name),
);

test.each([
  ['', '1-63 characters'],
  ['a'.repeat(64), '1-63 characters'],
  ['1c', 'start with a number'],
  ['-a', 'start with "-"'],
  ['a-', 'end with "-"'],
  ['a_b', 'alphanumeric and hyphen'],
  ['a.b', 'alphanumeric and hyphen'],
  ['a b', 'alphanumeric and hyphen'],
  ['a\n', 'alphanumeric and hyphen'],
  ['ä', 'alphanumeric and hyphen'],
  ['a/b', 'reserved for snapshots'],
])('%j cannot be an instance', (name, why) => expect(() => checkInstanceName(name)).toThrow(why));

test('an instance name is a host name, a path component and an LXC name', () => {
  fc.assert(
    fc.property(
      fc.string({
        maxLength: 70,
        unit: fc.constantFrom('a', 'Z', '0', '9', '-', '_', '.', '/', ' ', '\n', 'ä'),
      }),
      (name) => {
        const right = /^(?=.{1,63}$)[a-zA-Z]([a-zA-Z0-9-]*[a-zA-Z0-9])?$/.test(name) && !name.endsWith('\n');
        if (right) checkInstanceName(name);
        else expect(() => checkInstanceName(name)).toThrow();
      },
    ),
  );
});

test.each(['default', 'a b', '*', 'ä', '-x'])('%s can be a profile', (name) => checkProfileName(name));
test.each(['', 'a/b', '.', '..'])('%j cannot be a profile', (name) =>
  expect(() => checkProfileName(name)).toThrow(),
);
test.each(['default', '1', 'a:b'])('%s can be a pool', (name) => checkPoolName(name));
test.each(['', 'a/b', '.', '..', 'a b', 'a\tb'])('%j cannot be a pool', (name) =>
  expect(() => checkPoolName(name)).toThrow(),
);
test.each(['ab', 'lxdbr0', 'x-y', 'a.b', 'a_b', 'abcdefghijklmno'])('%s can be a network', (name) =>
  checkNetworkName(name),
);
test.each(['', 'a', '.', '..', 'a/b', 'a b', 'a:b', 'ä1', 'abcdefghijklmnop', 'ab\n'])(
  '%j cannot be a network',
  (name) => expect(() => checkNetworkName(name)).toThrow(),
);
test('an alias is anything but nothing', () => {
  checkAliasName('debian/12');
  expect(() => checkAliasName('')).toThrow();
});
