import { memoryStore, openRecords, type InstanceRecord } from '@lxd-ts/state';
import { Hwaddrs } from './hwaddrs.ts';

const signal = AbortSignal.timeout(30_000);
const instance = (name: string, address: string) =>
  ({ project: 'default', name, config: { 'volatile.eth0.hwaddr': address } }) as unknown as InstanceRecord;

test('an address is taken as long as somebody has it', async () => {
  const store = memoryStore();
  await using records = await openRecords(store, { signal });
  await records.transaction().create('instances', ['default', 'a'], instance('a', 'x')).commit({ signal });
  using hwaddrs = new Hwaddrs(records);
  expect(hwaddrs.isTaken('x')).toBe(true);
  await records.transaction().create('instances', ['default', 'b'], instance('b', 'x')).commit({ signal });
  await records.transaction().put('instances', ['default', 'a'], instance('a', 'y')).commit({ signal });
  expect([hwaddrs.isTaken('x'), hwaddrs.isTaken('y')]).toEqual([true, true]);
  await records.transaction().remove('instances', ['default', 'b']).commit({ signal });
  expect([hwaddrs.isTaken('x'), hwaddrs.isTaken('y')]).toEqual([false, true]);
});
