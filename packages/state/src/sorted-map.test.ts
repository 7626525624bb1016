import fc from 'fast-check';
import { SortedMap } from './sorted-map.ts';

const key = fc
  .array(fc.constantFrom('a', 'b', '/', '%2F', '-'), { maxLength: 4 })
  .map((parts) => parts.join(''));

test('is a map, listed in order', () => {
  const changes = fc.array(fc.tuple(key, fc.option(fc.nat(), { nil: undefined })));
  fc.assert(
    fc.property(changes, key, (steps, prefix) => {
      const sorted = new SortedMap<number>();
      const plain = new Map<string, number>();
      for (const [name, value] of steps) {
        if (value === undefined) expect(sorted.delete(name)).toBe(plain.delete(name));
        else {
          sorted.set(name, value);
          plain.set(name, value);
        }
        expect(sorted.get(name)).toBe(plain.get(name));
      }
      const keys = [...plain.keys()].sort();
      expect(sorted.keys()).toEqual(keys);
      const within = keys.filter((name) => name.startsWith(prefix)).map((name) => plain.get(name));
      expect(sorted.withPrefix(prefix)).toEqual(within);
    }),
  );
});
