import { appUser } from './app-user.ts';

const passwd = `root:x:0:0:root:/root:/bin/sh
# app:x:5:5::/no:/no
app:x:1000:1001:App:/home/app:/bin/sh
broken
12:x:34:56::/odd:
bad:x:x:1::/:`;
const group = `root:x:0:
app:x:1001:
extra:x:2000:root,app
more:x:2001:app
own:x:1001:app`;

test.each([
  ['', { uid: 0, gid: 0, groups: [2000], home: '/root' }],
  ['app', { uid: 1000, gid: 1001, groups: [2000, 2001], home: '/home/app' }],
  ['1000', { uid: 1000, gid: 1001, groups: [2000, 2001], home: '/home/app' }],
  ['app:extra', { uid: 1000, gid: 2000, groups: [], home: '/home/app' }],
  ['1000:1000', { uid: 1000, gid: 1000, groups: [], home: '/home/app' }],
  ['4000', { uid: 4000, gid: 0, groups: [], home: '/' }],
  // A name that looks like a number is a name first.
  ['12', { uid: 34, gid: 56, groups: [], home: '/odd' }],
])('"%s"', (wanted, expected) => {
  expect(appUser(wanted, passwd, group)).toEqual(expected);
});

test.each(['nobody', 'bad', 'app:none', '99999999999', '-1', '4294967295'])('"%s" is nobody', (wanted) => {
  expect(() => appUser(wanted, passwd, group)).toThrow(/has no (user|group)/);
});

test('numbers need no files', () => {
  expect(appUser('5:6', '', '')).toEqual({ uid: 5, gid: 6, groups: [], home: '/' });
});
