import { argumentOf } from './completion.ts';

it.each([
  ['[<remote>:]<instance>[/<snapshot>]...', { named: 'instance', remote: 'prefix' }],
  ['[[<remote>:]<instance>...]', { named: 'instance', remote: 'prefix' }],
  ['[[<remote>:]<instance>] <key>', { named: 'instance', remote: 'prefix' }],
  ['[<remote>:]<member> <key>', { named: 'member', remote: 'prefix' }],
  ['[<remote>:] [<filter>...]', { remote: 'prefix' }],
  ['<remote> <new name>', { remote: 'itself' }],
  ['bash|zsh|fish', { remote: 'none' }],
])('%s tells what to complete', (usage, expected) => {
  expect(argumentOf(usage)).toEqual(expected);
});
