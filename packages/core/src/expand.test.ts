import fc from 'fast-check';
import { expand, type Layer } from './expand.ts';

test('later layers win, devices as a whole', () => {
  const first = {
    config: { 'user.a': '1', 'user.b': '1' },
    devices: { d: { type: 'disk', source: '/tmp', path: '/mnt', readonly: 'true' }, n: { type: 'none' } },
  };
  const second = {
    config: { 'user.b': '2', 'user.c': '2' },
    devices: { d: { type: 'disk', source: '/var', path: '/mnt' } },
  };
  const own = { config: { 'user.c': '3', 'user.a': '' }, devices: {} };
  expect(expand([first, second, own])).toEqual({
    config: { 'user.a': '1', 'user.b': '2', 'user.c': '3' },
    devices: { d: { type: 'disk', source: '/var', path: '/mnt' }, n: { type: 'none' } },
  });
  expect(expand([])).toEqual({ config: {}, devices: {} });
});

const key = fc.constantFrom('a', 'b', '__proto__', 'constructor');
const config = fc.dictionary(key, fc.constantFrom('', '1', '2', '3'));
const layer: fc.Arbitrary<Layer> = fc.record({ config, devices: fc.dictionary(key, config) });

test('expanding in steps is expanding at once, and changes nothing it is given', () => {
  fc.assert(
    fc.property(fc.array(layer), fc.array(layer), (first, rest) => {
      const before = JSON.stringify([first, rest]);
      expect(expand([expand(first), ...rest])).toEqual(expand([...first, ...rest]));
      expect(JSON.stringify([first, rest])).toBe(before);
    }),
  );
});
