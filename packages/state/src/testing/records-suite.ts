import type { Records } from '../collections.ts';
import { elect, leaderOf } from '../election.ts';
import { recordsPrefix } from '../keys.ts';
import { openRecords } from '../open-records.ts';
import type { InstanceRecord } from '../records.ts';
import type { Store } from '../store.ts';
import type { Harness } from './store-suite.ts';

export const instance = (name: string, project = 'default'): InstanceRecord => ({
  project,
  name,
  type: 'container',
  architecture: 'x86_64',
  description: '',
  ephemeral: false,
  stateful: false,
  config: {},
  devices: {},
  profiles: ['default'],
  createdAt: '2026-01-01T00:00:00Z',
  lastUsedAt: '1970-01-01T00:00:00Z',
});

/** What records must do, on every store. */
export function recordsSuite(name: string, setup: () => Promise<Harness>): void {
  describe(`records: ${name}`, () => {
    let harness: Harness;
    let store: Store;
    let records: Records & AsyncDisposable;
    const options = { signal: new AbortController().signal };

    beforeAll(async () => {
      harness = await setup();
      store = harness.store;
    });
    beforeEach(async () => {
      await store.commit([], [{ type: 'delete-prefix', prefix: recordsPrefix }], options);
      records = await openRecords(store, options);
    });
    afterEach(() => records[Symbol.asyncDispose]());
    afterAll(() => harness.close());

    const create = (who: Records, record: InstanceRecord): Promise<void> =>
      who.transaction().create('instances', [record.project, record.name], record).commit(options);

    test('reads its own writes at once', async () => {
      await create(records, instance('c1'));
      const found = records.get('instances', 'default', 'c1')!;
      expect(found.value).toEqual(instance('c1'));
      const changed = { ...found.value, description: 'new' };
      await records
        .transaction()
        .update('instances', ['default', 'c1'], found.revision, changed)
        .commit(options);
      const after = records.get('instances', 'default', 'c1')!;
      expect(after.value.description).toBe('new');
      expect(after.revision).toBeGreaterThan(found.revision);
      await records.transaction().delete('instances', ['default', 'c1'], after.revision).commit(options);
      expect(records.get('instances', 'default', 'c1')).toBeUndefined();
    });

    test('lists in order, by prefix', async () => {
      for (const one of ['c10', 'c2', 'c1']) await create(records, instance(one));
      await create(records, instance('c0', 'other'));
      const names = (...prefix: string[]) =>
        records.list('instances', ...prefix).map(({ value }) => value.name);
      expect(names('default')).toEqual(['c1', 'c10', 'c2']);
      expect(names('other')).toEqual(['c0']);
      expect(names('def')).toEqual([]);
      expect(names()).toHaveLength(4);
    });

    test('keeps names apart whatever is in them', async () => {
      const alias = (name: string) => ({
        project: 'p',
        name,
        description: '',
        target: name,
        type: 'container' as const,
      });
      const names = ['debian/12', 'debian', 'debian%2F12', 'ä ö', '..', 'barrier'];
      for (const name of names) {
        await records.transaction().create('imageAliases', ['p', name], alias(name)).commit(options);
      }
      for (const name of names) expect(records.get('imageAliases', 'p', name)?.value.target).toBe(name);
      expect(records.list('imageAliases', 'p')).toHaveLength(names.length);
      expect(records.list('imageAliases', 'p', 'debian')).toEqual([]);
    });

    test('holds the record without an id', async () => {
      expect(records.get('serverConfig')).toBeUndefined();
      await records
        .transaction()
        .create('serverConfig', [], { config: { a: 'b' } })
        .commit(options);
      expect(records.get('serverConfig')?.value.config).toEqual({ a: 'b' });
      expect(records.list('serverConfig')).toHaveLength(1);
    });

    test('refuses what is based on an old revision, and shows the new one then', async () => {
      await using other = await openRecords(store, options);
      await create(records, instance('c1'));
      const { revision } = records.get('instances', 'default', 'c1')!;
      const update = (who: Records, description: string) =>
        who
          .transaction()
          .update('instances', ['default', 'c1'], revision, { ...instance('c1'), description })
          .commit(options);
      await update(records, 'first');
      await expect(update(other, 'second')).rejects.toMatchObject({ code: 'precondition-failed' });
      expect(other.get('instances', 'default', 'c1')?.value.description).toBe('first');
      await expect(create(records, instance('c1'))).rejects.toMatchObject({ code: 'precondition-failed' });
    });

    test('commits all or nothing', async () => {
      await create(records, instance('c1'));
      const both = records
        .transaction()
        .create('instances', ['default', 'c2'], instance('c2'))
        .guard('instances', ['default', 'c1'], 0)
        .commit(options);
      await expect(both).rejects.toMatchObject({ code: 'precondition-failed' });
      expect(records.get('instances', 'default', 'c2')).toBeUndefined();
    });

    test("commits a leader's change only while it leads", async () => {
      const leading = await elect(store, 'suite', { id: 'me', ttlSeconds: 5, ...options });
      await records
        .transaction(leading.guard)
        .put('instances', ['default', 'c1'], instance('c1'))
        .commit(options);
      expect(await leaderOf(store, 'suite', options)).toBe('me');
      await leading[Symbol.asyncDispose]();
      expect(leading.lost.aborted).toBe(true);
      const late = records.transaction(leading.guard).put('instances', ['default', 'c2'], instance('c2'));
      await expect(late.commit(options)).rejects.toMatchObject({ code: 'precondition-failed' });
      await using next = await elect(store, 'suite', { id: 'you', ttlSeconds: 5, ...options });
      expect(next.lost.aborted).toBe(false);
    });

    test('removes what may not exist, without waiting for ever', async () => {
      await records.transaction().remove('statuses', ['default', 'none']).commit(options);
      await records.transaction().commit(options);
    });

    test('modifies what everybody modifies', async () => {
      await using other = await openRecords(store, options);
      await create(records, instance('c1'));
      const add = (who: Records) =>
        who.modify(
          'instances',
          ['default', 'c1'],
          (old) => ({ ...old, description: `${old.description}+` }),
          options,
        );
      await Promise.all([add(records), add(other), add(records), add(other), add(records)]);
      await using fresh = await openRecords(store, options);
      expect(fresh.get('instances', 'default', 'c1')?.value.description).toBe('+++++');
      await expect(records.modify('instances', ['x', 'y'], (old) => old, options)).rejects.toMatchObject({
        code: 'not-found',
      });
    });

    test('tells of every change, whoever made it', async () => {
      await using other = await openRecords(store, options);
      const heard: [string, string | undefined][] = [];
      using _listening = other.onChange('instances', (id, value) =>
        heard.push([id.join('/'), value?.description]),
      );
      await create(records, instance('c1'));
      await records.modify('instances', ['default', 'c1'], (old) => ({ ...old, description: 'x' }), options);
      await records.transaction().remove('instances', ['default', 'c1']).commit(options);
      await create(other, instance('c2'));
      expect(heard).toEqual([
        ['default/c1', ''],
        ['default/c1', 'x'],
        ['default/c1', undefined],
        ['default/c2', ''],
      ]);
    });

    test('lists 10,000 records fast', async () => {
      const total = 10_000;
      for (let at = 0; at < total; at += 100) {
        const batch = records.transaction();
        for (let n = at; n < at + 100; n++) {
          const one = `c${(n * 7919) % total}`;
          batch.put('instances', ['default', one], instance(one));
        }
        await batch.commit(options);
      }
      const start = performance.now();
      for (let n = 0; n < 20; n++) expect(records.list('instances', 'default')).toHaveLength(total);
      const each = (performance.now() - start) / 20;
      process.stdout.write(`${name}: a sorted list of ${total} records takes ${each.toFixed(2)} ms\n`);
      const opening = performance.now();
      await using other = await openRecords(store, options);
      expect(other.list('instances')).toHaveLength(total);
      const took = performance.now() - opening;
      process.stdout.write(`${name}: a cache of ${total} records is filled in ${took.toFixed(0)} ms\n`);
    });
  });
}
