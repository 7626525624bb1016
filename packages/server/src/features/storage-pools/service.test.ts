import { LxdError } from '@lxd-ts/core';
import { drivers, fakeAgent, harness } from '../testing/harness.ts';
import { storagePoolsService, type StoragePoolsPost } from './service.ts';

const caller = { protocol: 'unix' as const, username: 'root', trusted: true };
const signal = AbortSignal.timeout(60_000);

async function setUp(members: string[] = ['m1']) {
  const fake = fakeAgent();
  const h = await harness(Object.fromEntries(members.map((name) => [name, fake.agent])));
  const service = storagePoolsService(h.services, drivers);
  const find = (name: string) => h.records.get('pools', name)?.value;
  return { fake, h, service, find, [Symbol.asyncDispose]: () => h[Symbol.asyncDispose]() };
}

describe('storage pools', () => {
  it('are made on every member, whose own options are kept apart', async () => {
    await using at = await setUp(['m1', 'm2']);
    await at.service.create({ name: 'p1', driver: 'dir', config: { size: '5' } }, caller);
    expect(at.find('p1')).toMatchObject({
      status: 'Created',
      config: { size: '5' },
      memberConfig: { m1: { source: '/pools/p1' }, m2: { source: '/pools/p1' } },
    });
    expect(at.find('p1')).not.toHaveProperty('pending');
    expect(at.h.events[0]).toMatchObject({ action: 'storage-pool-created', source: '/1.0/storage-pools/p1' });
  });

  // What LXD 5.0.2 answers to each.
  it.each<[StoragePoolsPost, string, string]>([
    [{ driver: 'dir' }, 'invalid', 'No name provided'],
    [{ name: 'p1' }, 'invalid', 'No driver provided'],
    [{ name: 'a/b', driver: 'dir' }, 'invalid', 'Storage pool names may not contain slashes'],
    [{ name: 'p q', driver: 'dir' }, 'invalid', 'Storage name cannot contain white space'],
    [{ name: 'p1', driver: 'wat' }, 'internal', 'Unknown driver'],
    [
      { name: 'default', driver: 'dir' },
      'conflict',
      'The storage pool already exists: The record already exists',
    ],
    [{ name: 'p1', driver: 'dir', config: { wat: 'x' } }, 'internal', 'Invalid option "wat"'],
  ])('refuses %j', async (body, code, message) => {
    await using at = await setUp();
    await expect(at.service.create(body, caller)).rejects.toMatchObject({ code, message });
    expect(at.h.records.list('pools')).toHaveLength(1);
  });

  it('are taken back when one member cannot make them', async () => {
    await using at = await setUp();
    at.fake.fail.set('createPool', new LxdError('internal', 'no space'));
    await expect(at.service.create({ name: 'p1', driver: 'dir' }, caller)).rejects.toThrow('no space');
    expect(at.find('p1')).toBeUndefined();
    expect(at.fake.calls).toContain('deletePool p1');
  });

  it('show who uses them, and cannot be deleted while somebody does', async () => {
    await using at = await setUp();
    expect(at.service.view(at.find('default')!, undefined)).toMatchObject({
      used_by: ['/1.0/profiles/default'],
      config: { source: '/p' },
      locations: ['none'],
    });
    await expect(at.service.delete('default', caller)).rejects.toThrow(
      'The storage pool is currently in use',
    );
    await at.service.create({ name: 'p1', driver: 'dir' }, caller);
    expect(at.service.view(at.find('p1')!, undefined)).toMatchObject({ used_by: null });
    await at.service.delete('p1', caller);
    expect(at.find('p1')).toBeUndefined();
  });

  it('change, but not their source', async () => {
    await using at = await setUp();
    await at.service.patch('default', { config: { 'user.a': 'b' } }, { caller });
    expect(at.find('default')).toMatchObject({
      config: { 'user.a': 'b' },
      memberConfig: { m1: { source: '/p' } },
    });
    await expect(at.service.put('default', { config: {} }, { caller })).rejects.toMatchObject({
      code: 'internal',
      message: 'Pool source cannot be changed when not in pending state',
    });
    at.fake.fail.set('updatePool', new LxdError('internal', 'busy'));
    await expect(at.service.patch('default', { description: 'new' }, { caller })).rejects.toThrow('busy');
    expect(at.find('default')).toMatchObject({ description: '' });
    expect(at.find('default')).not.toHaveProperty('pending');
  });

  it('that were left half made or half deleted are removed', async () => {
    await using at = await setUp();
    await at.service.create({ name: 'p1', driver: 'dir' }, caller);
    const pending = { kind: 'delete' as const, operation: '', server: 'm1' };
    await at.h.records.modify('pools', ['p1'], (value) => ({ ...value, pending }), { signal });
    await expect(at.service.recover(['m1'], { signal })).resolves.toBe(0);
    expect(at.find('p1')).toBeUndefined();
  });
});
