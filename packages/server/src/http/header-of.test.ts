import { headerOf } from './header-of.ts';

it.each([
  [undefined, ''],
  ['plain', 'plain'],
  [['first', 'second'], 'first'],
  // As Node gives them: a byte is a letter.
  [Buffer.from('vä€').toString('latin1'), 'vä€'],
  ['v\u00e4', 'v\u00e4'],
])('%j is %j', (value, expected) => {
  expect(headerOf({ 'x-lxd-name': value }, 'x-lxd-name')).toBe(expected);
});
