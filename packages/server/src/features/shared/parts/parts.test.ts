import { PassThrough } from 'node:stream';
import { LxdError } from '@lxd-ts/core';
import type { Agent } from '@lxd-ts/rpc';
import { networksService } from '../../networks/service.ts';
import { networkView } from '../../networks/view.ts';
import { storagePoolsService } from '../../storage-pools/service.ts';
import { drivers, fakeAgent, harness, type FakeAgent } from '../../testing/harness.ts';
import { catchUp } from './arrears.ts';

const caller = { protocol: 'unix' as const, username: 'root', trusted: true };
const signal = AbortSignal.timeout(60_000);

/** Three members that can be away. */
async function setUp() {
  const fakes: Record<string, FakeAgent> = { m1: fakeAgent(), m2: fakeAgent(), m3: fakeAgent() };
  const agents: Record<string, Agent> = Object.fromEntries(
    Object.entries(fakes).map(([name, { agent }]) => [name, agent]),
  );
  const h = await harness(agents);
  const pools = storagePoolsService(h.services, drivers);
  const networks = networksService(h.services, drivers);
  return {
    h,
    pools,
    networks,
    calls: (member: string) => fakes[member]?.calls ?? [],
    fail: (member: string, call: string, error: LxdError) => fakes[member]?.fail.set(call, error),
    works: (member: string, call: string) => fakes[member]?.fail.delete(call),
    leave: (member: string) => Reflect.deleteProperty(agents, member),
    async comeBack(member: string) {
      const fake = fakes[member];
      if (fake) agents[member] = fake.agent;
      await catchUp(h.services, drivers, member, { signal });
    },
    owed: () =>
      h.records
        .list('arrears')
        .map(({ value: { member, name, was, gone } }) => ({ member, name, was, gone })),
    pool: (name: string) => h.records.get('pools', name)?.value,
    network: (name: string) => h.records.get('networks', 'default', name)?.value,
    [Symbol.asyncDispose]: () => h[Symbol.asyncDispose](),
  };
}

describe('a member that is away', () => {
  it('makes a pool when it is back', async () => {
    await using at = await setUp();
    at.leave('m2');
    await at.pools.create({ name: 'p1', driver: 'dir' }, caller);
    expect(at.pool('p1')).toMatchObject({
      status: 'Created',
      memberConfig: { m1: { source: '/pools/p1' }, m2: {} },
    });
    expect(at.pools.view(at.pool('p1')!, 'm2')).toMatchObject({ status: 'Pending' });
    expect(at.pools.view(at.pool('p1')!, undefined)).toMatchObject({
      status: 'Created',
      locations: ['m1', 'm2', 'm3'],
    });
    await at.comeBack('m2');
    expect(at.calls('m2')).toEqual(['createPool p1']);
    expect(at.pool('p1')?.memberConfig['m2']).toEqual({ source: '/pools/p1' });
    expect(at.pools.view(at.pool('p1')!, 'm2')).toMatchObject({ status: 'Created' });
    expect(at.owed()).toEqual([]);
  });

  it('changes what was changed more than once from what it has to what is wanted', async () => {
    await using at = await setUp();
    at.leave('m3');
    await at.networks.patch('default', 'br0', { config: { 'ipv4.nat': 'true' } }, { caller });
    await at.networks.patch('default', 'br0', { config: { 'ipv4.nat': 'false' } }, { caller });
    expect(at.owed()).toMatchObject([
      { member: 'm3', name: 'br0', was: { config: { 'ipv4.address': '10.1.1.1/24' } } },
    ]);
    await at.comeBack('m3');
    expect(at.calls('m3')).toEqual(['updateNetwork br0']);
    expect(at.owed()).toEqual([]);
  });

  it('deletes what is gone, also when another has its name by now', async () => {
    await using at = await setUp();
    await at.networks.create('default', { name: 'n1' }, caller);
    at.leave('m3');
    await at.networks.delete('default', 'n1', caller);
    expect(at.network('n1')).toBeUndefined();
    await at.networks.create('default', { name: 'n1', config: { 'ipv4.nat': 'true' } }, caller);
    expect(at.owed()).toMatchObject([{ member: 'm3', name: 'n1', gone: true }]);
    await at.comeBack('m3');
    expect(at.calls('m3')).toEqual(['createNetwork n1', 'deleteNetwork n1', 'createNetwork n1']);
    expect(at.owed()).toEqual([]);
  });

  it('has nothing to do for what came and went without it', async () => {
    await using at = await setUp();
    at.leave('m2');
    await at.pools.create({ name: 'p1', driver: 'dir' }, caller);
    await at.pools.delete('p1', caller);
    expect(at.owed()).toEqual([]);
    await at.comeBack('m2');
    expect(at.calls('m2')).toEqual([]);
  });

  it('that falls away in the middle of a change does it later', async () => {
    await using at = await setUp();
    at.fail('m2', 'updateNetwork', new LxdError('unavailable', 'Member "m2" is offline'));
    await at.networks.patch('default', 'br0', { config: { 'ipv4.nat': 'true' } }, { caller });
    expect(at.network('br0')).not.toHaveProperty('pending');
    // It is there again at once, and follows by itself.
    while (at.owed().length > 0) await new Promise(setImmediate);
    expect(at.calls('m2')).toEqual(['updateNetwork br0', 'updateNetwork br0']);
  });

  it('is left to the server that has it catch up, as long as that is there', async () => {
    await using at = await setUp();
    at.leave('m2');
    await at.pools.create({ name: 'p1', driver: 'dir' }, caller);
    const id: [string, string, string, string] = ['m2', 'pool', '', 'p1'];
    await at.h.records.modify('arrears', id, (value) => ({ ...value, by: 'm3' }), { signal });
    const peer = { name: 'm3', connect: () => new PassThrough() };
    at.h.services.peers = { reachable: () => [peer] };
    await at.comeBack('m2');
    expect(at.calls('m2')).toEqual([]);
    at.h.services.peers = { reachable: () => [] };
    await at.comeBack('m2');
    expect(at.calls('m2')).toEqual(['createPool p1']);
    expect(at.owed()).toEqual([]);
  });

  it('keeps the debt it cannot pay', async () => {
    await using at = await setUp();
    at.leave('m2');
    await at.pools.create({ name: 'p1', driver: 'dir' }, caller);
    at.fail('m2', 'createPool', new LxdError('internal', 'no space'));
    await at.comeBack('m2');
    expect(at.owed()).toMatchObject([{ member: 'm2', name: 'p1', was: null }]);
  });
});

describe('a member that refuses', () => {
  it('has the others change back', async () => {
    await using at = await setUp();
    at.fail('m3', 'updateNetwork', new LxdError('internal', 'busy'));
    const change = at.networks.patch('default', 'br0', { config: { 'ipv4.nat': 'true' } }, { caller });
    await expect(change).rejects.toThrow('busy');
    expect(at.network('br0')?.config).toEqual({ 'ipv4.address': '10.1.1.1/24' });
    expect(at.calls('m1')).toEqual(['updateNetwork br0', 'updateNetwork br0']);
  });

  it('to delete has the others make it again', async () => {
    await using at = await setUp();
    await at.pools.create({ name: 'p1', driver: 'dir' }, caller);
    at.fail('m3', 'deletePool', new LxdError('conflict', 'not empty'));
    await expect(at.pools.delete('p1', caller)).rejects.toThrow('The storage pool is currently in use');
    expect(at.pool('p1')).toMatchObject({ status: 'Created' });
    while (at.owed().length > 0) await new Promise(setImmediate);
    expect(at.calls('m1')).toEqual(['createPool p1', 'deletePool p1', 'createPool p1']);
  });
});

describe('two steps', () => {
  // What LXD 5.0.2 answers to each.
  it('make a pool with each member’s own options', async () => {
    await using at = await setUp();
    const { pools } = at;
    const p1 = { name: 'p1', driver: 'dir' };
    const own = (source: string) => ({ ...p1, config: { source } });
    await expect(pools.create(p1, caller, 'm9')).rejects.toThrow('Cluster member not found');
    await expect(pools.create({ ...p1, config: { size: '1' } }, caller, 'm1')).rejects.toMatchObject({
      code: 'internal',
      message: 'Config key "size" may not be used as member-specific key',
    });
    await pools.create(own('/a'), caller, 'm1');
    expect(pools.view(at.pool('p1')!, undefined)).toMatchObject({
      config: {},
      status: 'Pending',
      locations: ['m1'],
    });
    expect(pools.view(at.pool('p1')!, 'm1')).toMatchObject({ config: { source: '/a' }, status: 'Pending' });
    expect(pools.view(at.pool('p1')!, 'm2')).toMatchObject({ config: {}, status: 'Unknown' });
    await expect(pools.create(p1, caller, 'm1')).rejects.toMatchObject({
      code: 'invalid',
      message: 'The storage pool already defined on member "m1"',
    });
    await expect(pools.create(p1, caller)).rejects.toMatchObject({
      code: 'internal',
      message: 'Pool not defined on nodes: m2, m3',
    });
    await pools.create(own('/b'), caller, 'm2');
    await pools.create(p1, caller, 'm3');
    await pools.patch('p1', { config: { source: '/c' } }, { caller, target: 'm3' });
    await expect(pools.patch('p1', { description: 'x' }, { caller })).rejects.toThrow(
      'Cannot update storage pool global config when not in created state',
    );
    await expect(pools.create(own('/d'), caller)).rejects.toThrow(
      'Config key "source" is cluster member specific',
    );
    expect(at.calls('m1')).toEqual([]);
    await pools.create({ ...p1, config: { size: '5' }, description: 'D' }, caller);
    expect(at.pool('p1')).toMatchObject({
      status: 'Created',
      description: 'D',
      config: { size: '5' },
      memberConfig: { m1: { source: '/a' }, m2: { source: '/b' }, m3: { source: '/c' } },
    });
    await expect(pools.create(p1, caller, 'm3')).rejects.toThrow('Storage pool is not in pending state');
    await expect(pools.create(p1, caller)).rejects.toThrow('The storage pool is already created');
    const source = pools.put('p1', { config: { source: '/x' } }, { caller, target: 'm2' });
    await expect(source).rejects.toThrow('Pool source cannot be changed when not in pending state');
    await expect(pools.put('p1', { config: { source: '/x' } }, { caller })).rejects.toThrow(
      'Config key "source" is cluster member specific',
    );
    // A client sends back all that it was shown.
    await pools.put('p1', { config: { size: '5', source: '/b' } }, { caller, target: 'm2' });
    await expect(
      pools.put('p1', { config: { size: '6', source: '/b' } }, { caller, target: 'm2' }),
    ).rejects.toThrow('Config key "size" may not be used as cluster member specific key');
  });

  it('that fail can be tried again', async () => {
    await using at = await setUp();
    const p1 = { name: 'p1', driver: 'dir' };
    for (const member of ['m1', 'm2', 'm3']) await at.pools.create(p1, caller, member);
    at.fail('m2', 'createPool', new LxdError('internal', 'no space'));
    await expect(at.pools.create({ ...p1, config: { size: '5' } }, caller)).rejects.toThrow('no space');
    expect(at.pool('p1')).toMatchObject({ status: 'Pending', config: {} });
    expect(at.pool('p1')).not.toHaveProperty('pending');
    at.works('m2', 'createPool');
    await at.pools.create(p1, caller);
    expect(at.pool('p1')).toMatchObject({ status: 'Created', config: {} });
  });

  it('that were cut off are taken back to the first', async () => {
    await using at = await setUp();
    const p1 = { name: 'p1', driver: 'dir' };
    for (const member of ['m1', 'm2', 'm3']) await at.pools.create(p1, caller, member);
    const defined = JSON.stringify(at.pool('p1'));
    const pending = { kind: 'create' as const, operation: '', server: 'm1', detail: { defined } };
    await at.h.records.modify('pools', ['p1'], (value) => ({ ...value, config: { size: '5' }, pending }), {
      signal,
    });
    await at.pools.recover(['m1'], { signal });
    expect(at.pool('p1')).toEqual(JSON.parse(defined));
  });

  it('make a network', async () => {
    await using at = await setUp();
    const { networks } = at;
    const n1 = { name: 'n1' };
    await networks.create('default', n1, caller, 'm1');
    await expect(networks.create('default', n1, caller)).rejects.toThrow(
      'Network not defined on nodes: m2, m3',
    );
    await networks.create('default', n1, caller, 'm2');
    await expect(networks.create('default', n1, caller, 'm2')).rejects.toThrow(
      'The network is already defined on member "m2"',
    );
    await expect(
      networks.create('default', { name: 'n1', config: { 'ipv4.nat': 'true' } }, caller, 'm3'),
    ).rejects.toThrow('Config key "ipv4.nat" may not be used as member-specific key');
    await networks.create('default', n1, caller, 'm3');
    await networks.create('default', { name: 'n1', config: { 'ipv4.nat': 'true' } }, caller);
    expect(networkView(at.h.services, at.network('n1')!, undefined)).toMatchObject({
      status: 'Created',
      locations: ['m1', 'm2', 'm3'],
    });
    await expect(networks.rename('default', 'n1', 'n2', caller)).rejects.toThrow(
      'Renaming clustered network not supported',
    );
  });
});
