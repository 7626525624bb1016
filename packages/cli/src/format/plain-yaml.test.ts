import { parse } from 'yaml';
import { readPlainYaml } from './plain-yaml.ts';

const usual = `default-remote: local
remotes:
  127.0.0.1:
    addr: https://127.0.0.1:8443
    auth_type: tls
    public: false
  local:
    addr: unix://
    public: true
aliases: {}
`;

it('reads what the parser reads', () => {
  expect(readPlainYaml(usual)).toEqual(parse(usual));
  expect(readPlainYaml('')).toEqual({});
});

it.each([
  'a: 1',
  'a: null',
  'a: "b"',
  'a: b # c',
  'a: b c',
  '# a',
  '- a',
  'a:\n   b: c',
  '  a: b',
  'a: b\n    c: d',
  'a: b\na: c',
  'a: b:',
  'a: 2026-11-23',
  'a: yes',
  '__proto__: a',
  'a:\tb',
  'a: &b c',
])('leaves %j to the parser', (text) => {
  expect(readPlainYaml(text)).toBeUndefined();
});
