import { defaultIdmap, idmapLines, idmapOf } from './idmap.ts';

test('privileged: no map; otherwise the default range, or what the instance was given', () => {
  expect(idmapOf({ 'security.privileged': 'true' })).toEqual([]);
  expect(idmapOf({})).toBe(defaultIdmap);
  expect(idmapOf({ 'volatile.idmap.next': '[]' })).toBe(defaultIdmap);
  const own = [{ Isuid: true, Isgid: true, Hostid: 2_000_000, Nsid: 0, Maprange: 65_536 }];
  expect(idmapOf({ 'volatile.idmap.next': JSON.stringify(own) })).toEqual(own);
  expect(idmapOf({ 'volatile.idmap.current': JSON.stringify(own) })).toEqual(own);
});

test.each([
  '{',
  '{}',
  '[1]',
  '[null]',
  '[{"Hostid":-1,"Nsid":0,"Maprange":1}]',
  '[{"Hostid":"0 0","Nsid":0,"Maprange":1}]',
])('refuses %s', (text) => {
  expect(() => idmapOf({ 'volatile.idmap.next': text })).toThrow(/not a list of id ranges/);
});

test('as lines for liblxc', () => {
  expect(idmapLines(defaultIdmap)).toEqual(['u 0 1000000 1000000000', 'g 0 1000000 1000000000']);
  expect(idmapLines([{ Isuid: true, Isgid: true, Hostid: 5, Nsid: 1, Maprange: 2 }])).toEqual([
    'u 1 5 2',
    'g 1 5 2',
  ]);
});
