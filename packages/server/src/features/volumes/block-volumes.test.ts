import { LxdError } from '@lxd-ts/core';
import type { VolumeSpec } from '@lxd-ts/core';
import type { VolumeRecord } from '@lxd-ts/state';
import { InFlight } from '../shared/in-flight.ts';
import { drivers, fakeAgent, harness } from '../testing/harness.ts';
import { idOf, type VolumesContext } from './context.ts';
import { startCopy, startMove } from './copy.ts';
import { recoverVolumes } from './recover.ts';
import { createVolume, updateVolume } from './service.ts';
import { volumeView } from './view.ts';

const caller = { protocol: 'unix' as const, username: 'root', trusted: true };
const signal = AbortSignal.timeout(60_000);
const place = { pool: 'default', project: 'default', name: 'k1', member: 'm1' };
const MiB = 1024 * 1024;
const block = { description: '', contentType: 'block' as const };

async function setUp() {
  /** Of every volume that was made: bytes, or none of a filesystem. */
  const made: [string, number | undefined][] = [];
  const fake = fakeAgent();
  const agent = {
    ...fake.agent,
    createVolume: async ({ name, block: of }: VolumeSpec) => {
      made.push([name, of?.bytes]);
    },
  };
  const h = await harness({ m1: agent });
  const context: VolumesContext = { services: h.services, working: new InFlight(), drivers };
  const pool = h.records.get('pools', 'default')?.value;
  if (!pool) throw new Error('no pool');
  const config = { ...pool.config, 'volume.size': '3MiB', 'volume.security.shifted': 'true' };
  await h.records
    .transaction()
    .create('pools', ['big'], { ...pool, name: 'big', config })
    .create('pools', ['files'], { ...pool, name: 'files', driver: 'cephfs' })
    .commit({ signal });
  const find = (name: string, of = 'default') => {
    const found = h.records.get('volumes', of, 'default', name, 'm1');
    if (!found) throw new Error(`no volume ${name}`);
    return found;
  };
  return {
    ...{ fake, h, context, made, find },
    create: (config: Record<string, string> = {}, more: object = {}) =>
      createVolume(context, { ...place, ...more }, { ...block, config }, caller),
    view: (name: string, of?: string) => volumeView(h.services, find(name, of).value),
    [Symbol.asyncDispose]: () => h[Symbol.asyncDispose](),
  };
}

it('is made as large as is said, as the pool says, or as LXD makes it', async () => {
  await using at = await setUp();
  await at.create({ size: '2MiB' });
  await at.create({}, { name: 'k2' });
  await at.create({ size: '0' }, { name: 'k3' });
  await at.create({}, { name: 'k4', pool: 'big' });
  expect(at.made).toEqual([
    ['k1', 2 * MiB],
    ['k2', 10 * 1024 * MiB],
    ['k3', 10 * 1024 * MiB],
    ['k4', 3 * MiB],
  ]);
  expect(at.view('k1')).toMatchObject({ content_type: 'block', config: { size: '2MiB' } });
  // Nothing that is about files.
  expect(at.view('k4', 'big')['config']).toEqual({ size: '3MiB' });
});

it('is made only where the driver has them', async () => {
  await using at = await setUp();
  await expect(at.create({}, { pool: 'files' })).rejects.toMatchObject({
    code: 'unsupported',
    message: 'Storage pool "files" (cephfs) has no volumes of content type "block"',
  });
  expect([at.made, at.h.records.list('volumes')]).toEqual([[], []]);
});

it.each(['security.shifted', 'security.unmapped', 'volatile.idmap.last'])('has no %s', async (key) => {
  await using at = await setUp();
  const refused = `Invalid option for volume "default_k1" option "${key}"`;
  await expect(at.create({ [key]: 'true' })).rejects.toThrow(refused);
  await at.create();
  const change = { config: { [key]: 'true' }, description: '' };
  await expect(updateVolume(at.context, at.find('k1'), change, caller)).rejects.toThrow(refused);
});

it('stays as it was when it would shrink', async () => {
  await using at = await setUp();
  await at.create({ size: '2MiB' });
  at.fake.fail.set('limitVolume', new LxdError('internal', 'cannot be shrunk'));
  const change = { config: { size: '1MiB' }, description: '' };
  await expect(updateVolume(at.context, at.find('k1'), change, caller)).rejects.toThrow('cannot be shrunk');
  expect(at.view('k1')['config']).toEqual({ size: '2MiB' });
});

it('is copied as what it is, with the size it has where it comes from another pool', async () => {
  await using at = await setUp();
  await at.create({ size: '2MiB' });
  const copy = (name: string, pool: string, given: object = {}) =>
    at.h.finish(
      startCopy(at.context, { ...place, name, pool }, { pool: 'default', name: 'k1' }, given, caller),
    );
  await copy('k2', 'default', { config: { size: '4MiB' } });
  await copy('k3', 'big', { config: { size: '4MiB' } });
  expect(at.view('k2')).toMatchObject({ content_type: 'block', config: { size: '4MiB' } });
  expect(at.view('k3', 'big')).toMatchObject({ content_type: 'block', config: { size: String(7 * 8192) } });
  await at.h.finish(startMove(at.context, at.find('k1'), { pool: 'big', name: 'k4' }, caller));
  expect(at.view('k4', 'big')).toMatchObject({ content_type: 'block', config: { size: String(7 * 8192) } });
});

it('is not brought up to date from files, nor they from it', async () => {
  await using at = await setUp();
  await at.create();
  await createVolume(at.context, { ...place, name: 'fs' }, { description: '', config: {} }, caller);
  for (const [from, to] of [
    ['k1', 'fs'],
    ['fs', 'k1'],
  ] as const) {
    const source = { pool: 'default', name: from, refresh: true };
    const copied = at.h.finish(startCopy(at.context, { ...place, name: to }, source, {}, caller));
    await expect(copied).rejects.toThrow('another content type');
  }
});

describe('cut off while it grew', () => {
  const cutOff = async (at: Awaited<ReturnType<typeof setUp>>) => {
    await at.create({ size: '2MiB' });
    const { value } = at.find('k1');
    const pending = { kind: 'update' as const, operation: '', server: 'm1' };
    const next: VolumeRecord = {
      ...{ ...value, config: { size: '4MiB' } },
      pending: { ...pending, detail: { before: JSON.stringify(value) } },
    };
    await at.h.records.modify('volumes', idOf(value), () => next, { signal });
    at.fake.calls.length = 0;
  };

  it('it is as large as was asked for', async () => {
    await using at = await setUp();
    await cutOff(at);
    await recoverVolumes(at.context, ['m1'], { signal });
    expect(at.fake.calls).toEqual([`limitVolume default:k1 ${4 * MiB}`]);
    expect(at.find('k1').value).toMatchObject({ config: { size: '4MiB' } });
    expect(at.find('k1').value).not.toHaveProperty('pending');
  });

  it('or what it was, where that was about to be refused', async () => {
    await using at = await setUp();
    await cutOff(at);
    at.fake.fail.set('limitVolume', new LxdError('internal', 'cannot be shrunk'));
    await recoverVolumes(at.context, ['m1'], { signal });
    expect(at.find('k1').value).toMatchObject({ config: { size: '2MiB' } });
    expect(at.find('k1').value).not.toHaveProperty('pending');
  });
});
