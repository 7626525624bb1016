import { setTimeout as sleep } from 'node:timers/promises';
import type { VolumeSpec } from '@lxd-ts/core';
import { InFlight } from '../shared/in-flight.ts';
import { drivers, fakeAgent, harness } from '../testing/harness.ts';
import type { VolumesContext } from './context.ts';
import { startCopy } from './copy.ts';
import { createVolume } from './service.ts';
import { restoreVolume, startSnapshot } from './snapshots.ts';

const caller = { protocol: 'unix' as const, username: 'root', trusted: true };
const place = { pool: 'default', project: 'default', name: 'v1', member: 'm1' };
const minutesMs = 600_000;
const longMs = 80;

/** Ten minutes are over in a moment, and files take longer. */
async function setUp() {
  const timeout = AbortSignal.timeout.bind(AbortSignal);
  const copyVolume = async (
    _from: VolumeSpec,
    _to: VolumeSpec,
    _names: string[],
    { signal }: { signal: AbortSignal },
  ) => {
    await sleep(longMs, undefined, { signal });
  };
  const restoring = (_volume: VolumeSpec, _snapshot: string, { signal }: { signal: AbortSignal }) =>
    sleep(longMs, undefined, { signal });
  const fake = fakeAgent({ copyVolume, restoreVolume: restoring });
  const h = await harness({ m1: fake.agent });
  const context: VolumesContext = { services: h.services, working: new InFlight(), drivers };
  await createVolume(context, place, { description: '', config: {} }, caller);
  const spy = jest
    .spyOn(AbortSignal, 'timeout')
    .mockImplementation((ms) => timeout(ms === minutesMs ? longMs / 2 : ms));
  const find = (name: string) => {
    const found = h.records.get('volumes', 'default', 'default', name, 'm1');
    if (!found) throw new Error(`no volume ${name}`);
    return found;
  };
  return {
    ...{ h, context, find },
    [Symbol.asyncDispose]: async () => {
      spy.mockRestore();
      await h[Symbol.asyncDispose]();
    },
  };
}

// An hour of copying was for nothing after ten minutes.
test('a volume may take as long as its files need: copied, snapshot, restored', async () => {
  await using at = await setUp();
  const source = { type: 'copy', name: 'v1', pool: 'default' };
  await at.h.finish(startCopy(at.context, { ...place, name: 'v2' }, source, {}, caller));
  expect(at.find('v2').value).not.toHaveProperty('pending');
  await at.h.finish(startSnapshot(at.context, at.find('v1'), { name: 's1' }, caller));
  expect(at.h.records.list('volumeSnapshots').map(({ value }) => value.name)).toEqual(['s1']);
  await restoreVolume(at.context, at.find('v1'), 's1', caller);
  await at.h.finish(
    startCopy(at.context, { ...place, name: 'v2' }, { ...source, refresh: true }, {}, caller),
  );
  expect(at.h.records.list('volumes').filter(({ value }) => value.pending)).toEqual([]);
});
