import { LxdError } from '@lxd-ts/core';
import { clusterHarness } from '../testing/cluster-harness.ts';
import { admit } from './admit.ts';
import { changeName } from './change-name.ts';
import { startEvacuation } from './evacuate.ts';
import { expiryAfter } from './expiry.ts';
import { memberConfigKeys } from './member-config.ts';
import { memberView } from './member-view.ts';
import { recoverMembers } from './recover.ts';
import { removeMember } from './remove-member.ts';
import { untilUsed } from '../shared/token-life.ts';
import { createJoinToken, redeem } from './tokens.ts';
import { newMember } from '@lxd-ts/state';

const caller = { protocol: 'unix' as const, username: 'root', trusted: true };
const signal = AbortSignal.timeout(60_000);
const now = new Date('2026-01-02T03:04:05.000Z');

describe('members', () => {
  it('are shown as LXD shows them', async () => {
    await using at = await clusterHarness();
    const shown = () => memberView(at.h.services, at.context.control, at.member('m2')!);
    expect(shown()).toMatchObject({
      server_name: 'm2',
      roles: ['database'],
      database: true,
      failure_domain: 'default',
      groups: ['default'],
      status: 'Online',
      message: 'Fully operational',
    });
    at.leave('m2');
    expect(shown()).toMatchObject({
      status: 'Offline',
      message: 'No heartbeat for 60s (2026-01-02T03:03:05.000Z)',
    });
  });

  // What LXD 5.0.2 answers to each.
  it.each<[object, string, string]>([
    [{ roles: ['database', 'wat'] }, 'internal', 'Update roles: Invalid cluster role "wat"'],
    [{ roles: [] }, 'invalid', 'The "database" role cannot be dropped at this time'],
    [{ failure_domain: '' }, 'internal', "Update failure domain: Failure domain name can't be empty"],
    [{ groups: [] }, 'invalid', 'Cluster members need to belong to at least one group'],
    [
      { groups: ['nope'] },
      'not-found',
      'Update cluster groups: Failed to add member to cluster group: Failed to get cluster group ID: Cluster group not found',
    ],
    [{ config: { wat: '1' } }, 'internal', 'Invalid cluster configuration key "wat"'],
    [
      { config: { 'scheduler.instance': 'wat' } },
      'internal',
      'Invalid cluster configuration key "scheduler.instance" value',
    ],
  ])('refuse %j', async (change, code, message) => {
    await using at = await clusterHarness();
    await expect(at.put('m2', change)).rejects.toMatchObject({ code, message });
    expect(at.member('m2')).toMatchObject({ failureDomain: 'default', config: {} });
  });

  it('take what is said of them', async () => {
    await using at = await clusterHarness();
    await at.put('m2', {
      roles: ['database', 'event-hub'],
      failure_domain: 'fd1',
      description: 'd',
      config: { 'scheduler.instance': 'manual', 'user.x': '1' },
    });
    expect(at.member('m2')).toMatchObject({
      roles: ['control-plane', 'node', 'event-hub'],
      failureDomain: 'fd1',
      description: 'd',
      config: { 'scheduler.instance': 'manual', 'user.x': '1' },
    });
    expect(at.h.events.at(-1)).toMatchObject({
      action: 'cluster-member-updated',
      source: '/1.0/cluster/members/m2',
    });
  });
});

describe('groups', () => {
  it('have members, and members have groups', async () => {
    await using at = await clusterHarness();
    const { groups } = at;
    expect(groups.list().map(groups.view)).toEqual([
      { name: 'default', description: 'Default cluster group', members: ['m1', 'm2', 'm3'] },
    ]);
    await groups.create({ name: 'g1', members: ['m1', 'm2'] }, caller);
    expect(at.member('m1')?.groups).toEqual(['default', 'g1']);
    await groups.update('g1', { members: ['m2', 'm3'] }, { caller });
    expect(groups.view(groups.find('g1').value)).toMatchObject({ members: ['m2', 'm3'] });
    expect(at.member('m1')?.groups).toEqual(['default']);
    await groups.rename('g1', 'g2', caller);
    expect(at.member('m2')?.groups).toEqual(['default', 'g2']);
    expect(() => groups.find('g1')).toThrow('Cluster group not found');
    await expect(groups.delete('g2', caller)).rejects.toThrow('Only empty cluster groups can be removed');
    await groups.update('default', { members: ['m1', 'm2'] }, { caller });
    await expect(groups.update('g2', { members: [] }, { caller })).rejects.toThrow(
      'Cluster members need to belong to at least one group',
    );
    await groups.update('default', { members: ['m1', 'm2', 'm3'] }, { caller });
    await groups.update('g2', { members: [] }, { caller });
    await groups.delete('g2', caller);
    expect(groups.list()).toHaveLength(1);
  });

  it.each([
    [{}, 'No name provided'],
    [{ name: 'a/b' }, 'Cluster group names may not contain slashes'],
    [{ name: 'a b' }, 'Cluster group names may not contain spaces'],
    [{ name: 'default' }, 'This cluster group already exists'],
    [{ name: 'g1', members: ['nope'] }, 'Cluster member not found'],
  ])('refuse %j', async (body, message) => {
    await using at = await clusterHarness();
    await expect(at.groups.create(body, caller)).rejects.toThrow(message);
  });
});

describe('join tokens', () => {
  const ask = (at: Awaited<ReturnType<typeof clusterHarness>>, id: string, member = 'm4') =>
    createJoinToken(at.records, { id, member, server: 'm1' }, now);

  it('let one machine in, once, with its part of everything', async () => {
    await using at = await clusterHarness();
    const { services } = at.h;
    const token = await ask(at, 't1');
    expect(token.expiresAt).toBe('2026-01-02T06:04:05.000Z');
    const used = untilUsed(at.records, 'joinTokens', token, () => now, signal);
    const memberConfig = [
      { entity: 'storage-pool', name: 'default', key: 'source', value: '/dev/sdb' },
      { entity: 'network', name: 'br0', key: 'bridge.external_interfaces', value: '' },
    ];
    const joiner = { member: newMember({ name: 'm4', roles: ['node'] }), secret: token.secret, memberConfig };
    await expect(admit(services, { ...joiner, secret: 'wrong' }, signal)).rejects.toMatchObject({
      code: 'forbidden',
    });
    await admit(services, joiner, signal);
    await used;
    expect(at.records.get('pools', 'default')?.value.memberConfig['m4']).toEqual({ source: '/dev/sdb' });
    expect(at.records.list('arrears', 'm4').map(({ value: { of, name, was } }) => [of, name, was])).toEqual([
      ['network', 'br0', null],
      ['pool', 'default', null],
    ]);
    expect(() => redeem(at.records, 'm4', token.secret, now)).toThrow('used already');
    await expect(admit(services, joiner, signal)).rejects.toMatchObject({ code: 'conflict' });
  });

  it('are replaced, expire and can be revoked', async () => {
    await using at = await clusterHarness();
    const first = await ask(at, 't1');
    const second = await ask(at, 't2');
    expect(() => redeem(at.records, 'm4', first.secret, now)).toThrow('not known');
    const later = new Date('2026-01-02T06:04:05.000Z');
    expect(() => redeem(at.records, 'm4', second.secret, later)).toThrow('expired');
    expect(() => redeem(at.records, 'm5', second.secret, now)).toThrow('not known');
    const revoke = new AbortController();
    const life = untilUsed(at.records, 'joinTokens', second, () => now, revoke.signal);
    revoke.abort();
    await expect(life).rejects.toMatchObject({ code: 'cancelled' });
    expect(at.records.list('joinTokens')).toEqual([]);
  });

  it('end with the server that gave them out', async () => {
    await using at = await clusterHarness();
    await ask(at, 't1');
    await recoverMembers(at.context, ['m2'], { signal });
    expect(at.records.list('joinTokens')).toHaveLength(1);
    await recoverMembers(at.context, ['m1'], { signal });
    expect(at.records.list('joinTokens')).toEqual([]);
  });

  it('ask for what is each member’s own', async () => {
    await using at = await clusterHarness();
    expect(memberConfigKeys(at.context)).toEqual([
      {
        entity: 'storage-pool',
        name: 'default',
        key: 'source',
        value: '',
        description: '"source" property for storage pool "default"',
      },
    ]);
  });

  it.each([
    ['1d 2H', '2026-01-03T05:04:05.000Z'],
    ['30M', '2026-01-02T03:34:05.000Z'],
    ['1m', '2026-02-02T03:04:05.000Z'],
  ])('live for %s', (text, expected) => {
    expect(expiryAfter(text, now).toISOString()).toBe(expected);
  });

  it('do not live for nonsense', () => {
    expect(() => expiryAfter('soon', now)).toThrow('Invalid expiry expression');
  });
});

describe('removal', () => {
  const remove = (at: Awaited<ReturnType<typeof clusterHarness>>, name: string, force = false) =>
    removeMember(at.context, name, { force, caller });

  it('waits until nothing is lost by it', async () => {
    await using at = await clusterHarness();
    await at.instance('c1', 'm2');
    await at.instance('c2', 'm2');
    await expect(remove(at, 'm2')).rejects.toMatchObject({
      code: 'internal',
      message: 'Node still has the following containers: c1, c2',
    });
    await expect(remove(at, 'nope')).rejects.toMatchObject({ code: 'not-found' });
    expect(at.asked).toEqual([]);
  });

  it('leaves nothing of a member', async () => {
    await using at = await clusterHarness();
    await remove(at, 'm3');
    expect(at.calls('m3')).toEqual(['deleteNetwork br0', 'deletePool default']);
    expect(at.asked).toEqual(['remove m3 false']);
    expect(at.member('m3')).toBeUndefined();
    expect(Object.keys(at.records.get('pools', 'default')?.value.memberConfig ?? {})).toEqual(['m1', 'm2']);
    expect(Object.keys(at.records.get('networks', 'default', 'br0')?.value.memberConfig ?? {})).toEqual([
      'm1',
      'm2',
    ]);
  });

  it('by force gives up what a dead one had', async () => {
    await using at = await clusterHarness();
    await at.instance('c1', 'm2');
    await at.withMore('c1', 'm2');
    // It was on that member when it was backed up.
    await at.instance('c3', 'm3');
    await at.withMore('c3', 'm2');
    at.leave('m2');
    await expect(remove(at, 'm2')).rejects.toThrow('still has');
    await remove(at, 'm2', true);
    expect(at.asked).toEqual(['remove m2 true']);
    expect(at.where('c1')).toEqual([undefined, undefined]);
    expect(at.records.get('instances', 'default', 'c1')).toBeUndefined();
    // Who takes the name again has nothing of it.
    expect(at.records.list('snapshots').map(({ value }) => value.instance)).toEqual(['c3']);
    expect(at.records.list('backups')).toEqual([]);
  });

  it('that fails leaves the member as it was', async () => {
    await using at = await clusterHarness();
    at.fail('m3', 'deletePool', new LxdError('internal', 'busy'));
    await expect(remove(at, 'm3')).rejects.toThrow('busy');
    expect(at.member('m3')).not.toHaveProperty('pending');
  });

  it('that was cut off is finished', async () => {
    await using at = await clusterHarness();
    const pending = { kind: 'delete' as const, operation: '', server: 'm1', detail: { force: 'true' } };
    await at.records.modify('members', ['m3'], (value) => ({ ...value, pending }), { signal });
    await recoverMembers(at.context, ['m1'], { signal });
    expect(at.member('m3')).toBeUndefined();
  });
});

describe('a new name', () => {
  it('is in all records', async () => {
    await using at = await clusterHarness();
    await at.instance('c1', 'm2');
    await at.withMore('c1', 'm2');
    await changeName(at.context, 'm2', 'x2', caller);
    expect(at.asked).toEqual(['rename m2 x2']);
    expect(at.member('m2')).toBeUndefined();
    expect(at.member('x2')).toMatchObject({
      name: 'x2',
      roles: ['control-plane', 'node'],
      certificate: 'new',
    });
    expect(at.member('x2')).not.toHaveProperty('pending');
    expect(at.where('c1')[0]).toBe('x2');
    expect(at.records.get('backups', 'default', 'c1', 'b1')?.value.member).toBe('x2');
    expect(Object.keys(at.records.get('pools', 'default')?.value.memberConfig ?? {})).toEqual([
      'm1',
      'x2',
      'm3',
    ]);
    await expect(changeName(at.context, 'x2', 'm3', caller)).rejects.toMatchObject({
      code: 'conflict',
      message: 'Conflict',
    });
    await expect(changeName(at.context, 'x2', 'a b', caller)).rejects.toMatchObject({ code: 'invalid' });
  });

  it('is given once, although recovery sees each step of it', async () => {
    await using at = await clusterHarness();
    const { control } = at.context;
    const { renameMember } = control;
    // As a member does that ends its connection and comes back under its new name.
    control.renameMember = (...told) => {
      at.asked.push('told');
      setTimeout(() => void renameMember(...told), 50);
      return Promise.resolve();
    };
    const recoveries: Promise<void>[] = [];
    using _ = at.records.onChange('members', () =>
      recoveries.push(recoverMembers(at.context, ['m1'], { signal })),
    );
    await changeName(at.context, 'm2', 'x2', caller);
    await Promise.all(recoveries);
    expect(recoveries.length).toBeGreaterThan(2);
    expect(at.asked).toEqual(['told', 'rename m2 x2']);
    expect(at.member('x2')).not.toHaveProperty('pending');
  });

  it('that cannot be given changes nothing', async () => {
    await using at = await clusterHarness();
    await at.instance('c1', 'm2');
    at.context.control.renameMember = () => Promise.reject(new LxdError('unavailable', 'gone'));
    await expect(changeName(at.context, 'm2', 'x2', caller)).rejects.toThrow('gone');
    expect(at.member('x2')).toBeUndefined();
    expect(at.member('m2')).not.toHaveProperty('pending');
    expect(at.where('c1')[0]).toBe('m2');
  });

  it('that was cut off is finished', async () => {
    await using at = await clusterHarness();
    await at.instance('c1', 'm2');
    const pending = { kind: 'rename' as const, operation: '', server: 'm1', detail: { to: 'x2' } };
    await at.records.modify('members', ['m2'], (value) => ({ ...value, pending }), { signal });
    await recoverMembers(at.context, ['m1'], { signal });
    expect(at.member('m2')).toBeUndefined();
    expect(at.member('x2')).not.toHaveProperty('pending');
    expect(at.where('c1')[0]).toBe('x2');
  });
});

describe('evacuation', () => {
  it('stops or moves each instance, and restoring undoes it', async () => {
    await using at = await clusterHarness();
    await at.instance('c1', 'm2', { running: true });
    await at.instance('c2', 'm2');
    await at.instance('c3', 'm2', { running: true, config: { 'cluster.evacuate': 'stop' } });
    await at.instance('c4', 'm1', { running: true });
    const over = await at.evacuate('m2', 'evacuate');
    expect(over).toMatchObject({ description: 'Evacuating cluster member' });
    expect(at.member('m2')).toMatchObject({ state: 'Evacuated' });
    expect(at.member('m2')).not.toHaveProperty('pending');
    const [c1Now, c1Status] = at.where('c1');
    expect(['m1', 'm3']).toContain(c1Now);
    expect(c1Status).toBe('Running');
    expect(at.where('c2')[0]).not.toBe('m2');
    expect(at.where('c2')[1]).toBe('Stopped');
    expect(at.where('c3')).toEqual(['m2', 'Stopped']);
    expect(at.where('c4')).toEqual(['m1', 'Running']);
    expect(at.records.get('instances', 'default', 'c1')?.value.config['volatile.evacuate.origin']).toBe('m2');
    await expect(at.evacuate('m2', 'evacuate')).rejects.toThrow('Cluster member is already evacuated');

    await at.evacuate('m2', 'restore');
    expect(at.member('m2')).toMatchObject({ state: 'Active' });
    expect(at.where('c1')).toEqual(['m2', 'Running']);
    expect(at.where('c2')).toEqual(['m2', 'Stopped']);
    expect(at.where('c3')).toEqual(['m2', 'Running']);
    expect(at.records.get('instances', 'default', 'c1')?.value.config).not.toHaveProperty(
      'volatile.evacuate.origin',
    );
    await expect(at.evacuate('m2', 'restore')).rejects.toThrow('Cluster member is already restored');
  });

  it('that fails leaves the member in use', async () => {
    await using at = await clusterHarness();
    await at.instance('c1', 'm2', { running: true });
    at.fail('m2', 'stopInstance', new LxdError('unavailable', 'gone'));
    await expect(at.evacuate('m2', 'evacuate')).rejects.toThrow('gone');
    expect(at.member('m2')).toMatchObject({ state: 'Active' });
    expect(at.member('m2')).not.toHaveProperty('pending');
  });

  it('goes on after it was cut off', async () => {
    await using at = await clusterHarness();
    // It had been stopped already, and then seen as one that ended by itself.
    await at.instance('c1', 'm2', { config: { 'volatile.last_state.power': 'STOPPED' } });
    const detail = { mode: '', running: JSON.stringify(['default/c1']) };
    const pending = { kind: 'evacuate' as const, operation: '', server: 'm3', detail };
    await at.records.modify('members', ['m2'], (value) => ({ ...value, state: 'Evacuated', pending }), {
      signal,
    });
    await recoverMembers(at.context, ['m3'], { signal });
    while (at.member('m2')?.pending) await new Promise(setImmediate);
    expect(at.member('m2')).toMatchObject({ state: 'Evacuated' });
    expect(at.where('c1')[0]).not.toBe('m2');
    expect(at.where('c1')[1]).toBe('Running');
  });

  it('refuses what it does not know', async () => {
    await using at = await clusterHarness();
    expect(() => startEvacuation(at.context, 'm2', { action: 'wat' }, caller)).toThrow(
      'Unknown action "wat"',
    );
    expect(() => startEvacuation(at.context, 'm9', { action: 'evacuate' }, caller)).toThrow(
      'Cluster member not found',
    );
  });
});
