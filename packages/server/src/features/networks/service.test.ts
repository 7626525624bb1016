import { LxdError } from '@lxd-ts/core';
import { drivers, fakeAgent, harness } from '../testing/harness.ts';
import { networksService, type NetworksPost } from './service.ts';
import { networkView } from './view.ts';

const caller = { protocol: 'unix' as const, username: 'root', trusted: true };

async function setUp() {
  const fake = fakeAgent();
  const h = await harness({ m1: fake.agent });
  const service = networksService(h.services, drivers);
  const find = (name: string) => h.records.get('networks', 'default', name)?.value;
  const create = (body: NetworksPost) => service.create('default', body, caller);
  return { fake, h, service, find, create, [Symbol.asyncDispose]: () => h[Symbol.asyncDispose]() };
}

describe('networks', () => {
  it('are made with the defaults the member chose', async () => {
    await using at = await setUp();
    await at.create({ name: 'n1', config: { 'ipv4.address': 'auto' } });
    expect(networkView(at.h.services, at.find('n1')!, undefined)).toEqual({
      config: { 'ipv4.address': 'auto', 'ipv4.nat': 'true' },
      description: '',
      name: 'n1',
      type: 'bridge',
      used_by: null,
      managed: true,
      status: 'Created',
      locations: ['none'],
    });
  });

  // What LXD 5.0.2 answers to each.
  it.each<[NetworksPost, string, string]>([
    [{ name: '' }, 'invalid', 'No name provided'],
    [{ name: 'n/1' }, 'invalid', 'Network interface contains invalid characters'],
    [{ name: 'a' }, 'invalid', 'Network interface is too short (minimum 2 characters)'],
    [{ name: 'averyveryverylongname' }, 'invalid', 'Network interface is too long (maximum 15 characters)'],
    [{ name: 'n2', type: 'wat' }, 'invalid', 'Unknown driver'],
    [{ name: 'br0' }, 'invalid', 'The network already exists'],
    [{ name: 'lo' }, 'internal', 'Network interface "lo" already exists'],
    [{ name: 'n2', config: { wat: '1' } }, 'internal', 'Invalid option for network "n2" option "wat"'],
  ])('refuses %j', async (body, code, message) => {
    await using at = await setUp();
    await expect(at.create(body)).rejects.toMatchObject({ code, message });
    expect(at.h.records.list('networks')).toHaveLength(1);
  });

  it('are taken back when they cannot be brought up', async () => {
    await using at = await setUp();
    at.fake.fail.set('createNetwork', new LxdError('internal', 'address in use'));
    await expect(at.create({ name: 'n1' })).rejects.toThrow('address in use');
    expect(at.find('n1')).toBeUndefined();
    expect(at.fake.calls).toContain('deleteNetwork n1');
  });

  it('change', async () => {
    await using at = await setUp();
    const { service } = at;
    await service.patch('default', 'br0', { config: { 'ipv4.nat': 'true' } }, { caller });
    expect(at.find('br0')?.config).toEqual({ 'ipv4.address': '10.1.1.1/24', 'ipv4.nat': 'true' });
    await service.put('default', 'br0', { description: 'q' }, { caller });
    expect(at.find('br0')).toMatchObject({ config: {}, description: 'q' });
    await expect(service.put('default', 'br0', { config: { wat: '1' } }, { caller })).rejects.toMatchObject({
      code: 'invalid',
    });
    await expect(service.put('default', 'lo', {}, { caller })).rejects.toThrow(
      'Failed loading network: Network not found',
    );
  });

  it('are renamed and deleted while nobody uses them', async () => {
    await using at = await setUp();
    const { service } = at;
    await expect(service.rename('default', 'br0', 'br1', caller)).rejects.toThrow(
      'Network is currently in use',
    );
    await expect(service.delete('default', 'br0', caller)).rejects.toThrow('The network is currently in use');
    await at.create({ name: 'n1' });
    await service.rename('default', 'n1', 'n2', caller);
    expect(at.find('n1')).toBeUndefined();
    expect(at.find('n2')).toMatchObject({ name: 'n2', status: 'Created' });
    await service.delete('default', 'n2', caller);
    expect(at.find('n2')).toBeUndefined();
  });

  it('keep their name when the new one cannot be brought up', async () => {
    await using at = await setUp();
    await at.create({ name: 'n1' });
    at.fake.fail.set('createNetwork', new LxdError('internal', 'no'));
    await expect(at.service.rename('default', 'n1', 'n2', caller)).rejects.toThrow('no');
    expect(at.find('n1')).toMatchObject({ status: 'Created' });
    expect(at.find('n1')).not.toHaveProperty('pending');
  });
});
