import { parse } from 'yaml';
import { blockYaml } from './block-yaml.ts';

it('writes blocks as people do', () => {
  expect(
    blockYaml({
      name: 'c1',
      profiles: ['default', 'a b'],
      config: { 'user.n': '5', ok: 'true' },
      none: [],
      list: [{ a: 1, b: { c: 'x' } }],
    }),
  ).toBe(`name: c1
profiles:
- default
- a b
config:
  user.n: "5"
  ok: "true"
none: []
list:
- a: 1
  b:
    c: x
`);
});

it.each([
  ['empty', ''],
  ['numbers', '5', '0x1', '1e3', '-1', '.5', '1_000', '0o7', '12:30:45'],
  ['words', 'yes', 'No', 'null', '~', 'True', 'y', 'NaN', '.inf'],
  [
    'signs',
    '- a',
    'a: b',
    'a #b',
    '#a',
    '&a',
    '*a',
    '!a',
    '|',
    '>',
    '%a',
    '@a',
    '`a',
    '{a',
    '[a',
    '"a',
    "'a",
    'a:',
    '? a',
    '---',
    '<<',
    '=',
  ],
  ['spaces', ' a', 'a ', 'a  b', '\t', 'a\nb', 'a\r\n', '\u0085', '\u2028', '\ufeff'],
  [
    'letters',
    'ä',
    '😀',
    '\u0000',
    '\u007f',
    'a\\b',
    '/dev/sda1',
    '2026-11-30',
    '2026-11-30T03:16:48.012337243Z',
  ],
])('comes back as it was, to both versions of YAML: %s', (_what, ...values) => {
  const data = {
    values,
    keys: Object.fromEntries(values.map((value, i) => [value, `${i}`])),
    deep: [[values]],
  };
  for (const version of ['1.1', '1.2'] as const)
    expect(parse(blockYaml(data), { version, merge: false })).toEqual(data);
});

it('knows what is nothing', () => {
  expect(parse(blockYaml({ a: null, b: undefined, c: {}, d: [{}], e: false, f: 0 }))).toEqual({
    ...{ a: null, c: {}, d: [{}], e: false, f: 0 },
  });
});
