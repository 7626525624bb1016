import { checkConfig, findKey, validators, type ConfigSchema } from './schema.ts';

const any = { check: validators.any, description: '' };
const schema: ConfigSchema = { size: { ...any, check: validators.unsigned }, 'user.*': any };

test.each([
  ['size', schema['size']],
  ['user.a', any],
  ['user.a.b', any],
  ['user', undefined],
  ['nope', undefined],
  ['toString', undefined],
  ['__proto__', undefined],
])('the schema of "%s"', (key, expected) => {
  expect(findKey(schema, key)).toBe(expected);
});

test('a refusal names the key', () => {
  expect(() => checkConfig(schema, { constructor: 'x' }, 'pool "p"')).toThrow('unknown key "constructor"');
  expect(() => checkConfig(schema, { size: 'x' }, 'pool "p"')).toThrow('option "size"');
  checkConfig(schema, { size: '', 'user.x': '1' }, 'pool "p"');
});

test('what is required must be there', () => {
  const strict = { ...schema, path: { ...any, required: true } };
  expect(() => checkConfig(strict, {}, 'pool "p"')).toThrow('Missing option "path"');
});
