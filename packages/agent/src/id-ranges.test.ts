import { IdRanges } from './id-ranges.ts';

const isolated = (base?: number) => ({
  'security.idmap.isolated': 'true',
  ...(base === undefined ? {} : { 'volatile.idmap.base': String(base) }),
});
const baseOf = (config: Record<string, string>) => Number(config['volatile.idmap.base']);

test('no two that run have the same ids; each comes back to its own', () => {
  const ids = new IdRanges();
  ids.adopt('old', isolated(2_000_000));
  const one = baseOf(ids.claim('one', isolated(2_000_000)));
  expect(one).not.toBe(2_000_000);
  expect(baseOf(ids.claim('two', isolated(one)))).not.toBe(one);
  expect(baseOf(ids.claim('one', isolated(one)))).toBe(one);
  ids.release('one');
  expect(baseOf(ids.claim('three', isolated(one)))).toBe(one);
});

test('others share all of the host, and who is told its base has it', () => {
  const ids = new IdRanges();
  expect(ids.claim('shared', {})).toEqual({
    'volatile.idmap.base': '0',
    'volatile.idmap.next':
      '[{"Isuid":true,"Isgid":false,"Hostid":1000000,"Nsid":0,"Maprange":1000000000},{"Isuid":false,"Isgid":true,"Hostid":1000000,"Nsid":0,"Maprange":1000000000}]',
  });
  expect(baseOf(ids.claim('told', { ...isolated(), 'security.idmap.base': '1234567' }))).toBe(1_234_567);
});
