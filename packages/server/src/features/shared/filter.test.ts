import { parseFilter } from './filter.ts';

const things = [
  {
    name: 'a5',
    status: 'Stopped',
    config: { 'image.os': 'x', 'user.k': 'v' },
    devices: { root: { pool: 'p' } },
    size: 5,
  },
  { name: 'a7', status: 'Stopped', config: {}, devices: {}, size: 7 },
  { name: 'x2', status: 'Running', config: {}, devices: {}, size: 2 },
];
const names = (filter: string | null) => things.filter(parseFilter(filter)).map(({ name }) => name);

describe('parseFilter', () => {
  // As LXD 5.0.2 answers.
  it.each<[string | null, string[]]>([
    [null, ['a5', 'a7', 'x2']],
    ['', ['a5', 'a7', 'x2']],
    ['name eq A5', ['a5']],
    ['name eq a.*', ['a5', 'a7']],
    ['name eq a', []],
    ['name eq ^a5$', ['a5']],
    ['name eq ^a5$|^x.*', ['a5', 'x2']],
    ['name ne a5', ['a7', 'x2']],
    ['not name eq a5', ['a7', 'x2']],
    ['name eq a5 or name eq x2', ['a5', 'x2']],
    ['name eq a5 and status eq stopped', ['a5']],
    ['config.image.os eq x', ['a5']],
    ['config.user.k ne v', ['a7', 'x2']],
    ['config.nope ne v', ['a5', 'a7', 'x2']],
    ['devices.root.pool eq p', ['a5']],
    ['wat eq x', []],
    ['name eq [', []],
    ['status eq stopped and not name eq a5 or name eq x2', ['a7', 'x2']],
  ])('%j lets pass %j', (filter, expected) => {
    expect(names(filter)).toEqual(expected);
  });

  it('compares numbers, and what is in quotes', () => {
    expect(names('size eq 7')).toEqual(['a7']);
    expect(names('name eq "x2"')).toEqual(['x2']);
  });

  it('takes a pattern that could run for ever literally', () => {
    expect(parseFilter('name eq (a+)+b')({ name: 'a'.repeat(40) })).toBe(false);
  });

  it.each([
    ['name', 'clause has no operator'],
    ['name eq', 'clause has no value'],
    ['name eq a5 and', 'unterminated compound clause'],
    ['name eq a5 name eq x2', 'invalid clause composition'],
    ['name eq "x', 'unterminated quote'],
  ])('refuses %j', (filter, message) => {
    expect(() => parseFilter(filter)).toThrow(`Invalid filter: ${message}`);
  });
});
