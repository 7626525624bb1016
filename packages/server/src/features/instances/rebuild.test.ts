import { LxdError } from '@lxd-ts/core';
import { drivers, fakeAgent, harness, type FakeAgent, type Harness } from '../testing/harness.ts';
import { createInstance } from './create.ts';
import { startRebuild } from './rebuild.ts';
import { instancesService, type InstancesService } from './service.ts';
import { startSnapshot } from './snapshots.ts';
import { startStateChange } from './state-change.ts';

const signal = AbortSignal.timeout(60_000);
const project = 'default';
const fingerprint = 'f'.repeat(64);

let agent: FakeAgent;
let h: Harness;
let service: InstancesService;

const record = () => h.records.get('instances', project, 'c1')!.value;
const rebuild = (source: object) => h.finish(startRebuild(service.context, project, 'c1', { source }));

beforeEach(async () => {
  agent = fakeAgent();
  h = await harness({ m1: agent.agent });
  service = instancesService(h.services, drivers);
  const config = { 'user.colour': 'blue', 'image.os': 'old', 'volatile.base_image': 'old' };
  await h.finish(
    createInstance(service.context, { project, body: { name: 'c1', config, source: { type: 'none' } } }),
  );
  await h.records
    .transaction()
    .create('images', [project, fingerprint], {
      project,
      fingerprint,
      architecture: 'x86_64',
      properties: { os: 'new', release: '1' },
      profiles: [],
      members: ['m1'],
    } as never)
    .commit({ signal });
  agent.calls.length = 0;
});
afterEach(() => h[Symbol.asyncDispose]());

test('from an image: what is told of the files is new, what was configured stays', async () => {
  const { 'volatile.uuid': uuid } = record().config;
  await rebuild({ type: 'image', fingerprint: 'ffff' });
  expect(agent.calls).toEqual(['rebuildInstance c1 image']);
  expect(record().pending).toBeUndefined();
  expect(record().config).toMatchObject({
    'user.colour': 'blue',
    'image.os': 'new',
    'image.release': '1',
    'volatile.base_image': fingerprint,
    'volatile.apply_template': 'create',
    'volatile.uuid': uuid,
  });
});

test('empty: nothing is told of an image any more', async () => {
  await rebuild({ type: 'none' });
  expect(agent.calls).toEqual(['rebuildInstance c1 none']);
  expect(Object.keys(record().config).filter((key) => /^image\.|base_image/.test(key))).toEqual([]);
});

test('a failure leaves it as it was', async () => {
  const before = record();
  agent.fail.set('rebuildInstance', new LxdError('internal', 'no space'));
  await expect(rebuild({ type: 'image', fingerprint })).rejects.toThrow('no space');
  expect(record()).toEqual(before);
});

test('what cannot be is refused', async () => {
  expect(() => startRebuild(service.context, project, 'nope', {})).toThrow('Instance not found');
  expect(() => startRebuild(service.context, project, 'c1', { source: { type: 'copy' } })).toThrow(
    'Unknown source type "copy"',
  );
  await expect(rebuild({ type: 'image', fingerprint: 'abc' })).rejects.toThrow('Image not provided');
  await h.finish(startStateChange(service.context, project, 'c1', { action: 'start' }));
  expect(() => startRebuild(service.context, project, 'c1', { source: { type: 'none' } })).toThrow(
    'must be stopped',
  );
  await h.finish(startStateChange(service.context, project, 'c1', { action: 'stop', force: true }));
  await h.finish(startSnapshot(service.context, project, 'c1', { name: 's1' }));
  expect(() => startRebuild(service.context, project, 'c1', { source: { type: 'none' } })).toThrow(
    'with snapshots',
  );
});

test('cut off, it is done again', async () => {
  const pending = { kind: 'rebuild' as const, operation: 'o', server: 'm1', detail: { fingerprint } };
  await h.records.modify('instances', [project, 'c1'], (value) => ({ ...value, pending }), { signal });
  await expect(service.recover(['m1'], { signal })).resolves.toBe(0);
  expect(agent.calls).toEqual(['rebuildInstance c1 image']);
  expect(record().config['volatile.base_image']).toBe(fingerprint);
  expect(record().pending).toBeUndefined();
});
