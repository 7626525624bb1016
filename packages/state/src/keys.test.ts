import fc from 'fast-check';
import { electionKey, parseRecordKey, recordKey, recordPrefix, recordsPrefix } from './keys.ts';

const part = fc.string({ unit: 'binary', minLength: 1 });
const id = fc.array(part, { minLength: 1, maxLength: 3 });

test('a key is read back as what it was made of', () => {
  fc.assert(
    fc.property(id, (parts) => {
      expect(parseRecordKey(recordKey('images', parts))).toEqual({ kind: 'images', id: parts });
    }),
  );
  expect(parseRecordKey(recordKey('serverConfig', []))).toEqual({ kind: 'serverConfig', id: [] });
});

test('a prefix holds what begins with its parts, and nothing else', () => {
  fc.assert(
    fc.property(id, id, (one, other) => {
      const begins = other.length > one.length && one.every((text, index) => other[index] === text);
      expect(recordKey('images', other).startsWith(recordPrefix('images', one))).toBe(begins);
      expect(recordKey('instances', other).startsWith(recordPrefix('images', []))).toBe(false);
    }),
  );
});

test('other keys are not records, and bad names are refused', () => {
  expect(parseRecordKey(electionKey('cluster'))).toBeUndefined();
  expect(parseRecordKey(`${recordsPrefix}barrier`)).toBeUndefined();
  expect(() => recordKey('images', ['\ud800'])).toThrow('valid Unicode');
});
