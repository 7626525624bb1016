import { setTimeout as sleep } from 'node:timers/promises';
import { LxdError } from '@lxd-ts/core';
import { fakeLiblxc, FakeContainers } from '@lxd-ts/liblxc';
import type { Observation } from '@lxd-ts/rpc';
import { Observer } from './observe.ts';

const signal = AbortSignal.timeout(20_000);
const ref = { project: 'default', name: 'c1' };
const request = {
  name: 'c1',
  configFile: '/no/such/file',
  logFile: '/no/such/log',
  logLevel: 'WARN' as const,
};

function world() {
  const containers = new FakeContainers();
  const liblxc = fakeLiblxc({ containers });
  const gone: string[] = [];
  const observer = new Observer(liblxc, ({ name }) => gone.push(name));
  return { containers, liblxc, gone, observer };
}

test('looks at one and at all', async () => {
  const { liblxc, observer } = world();
  expect(observer.look(ref)).toEqual({ ...ref, status: 'Stopped', pid: 0 });
  expect(observer.lookAll()).toEqual([]);
  const { initPid } = await liblxc.start(request, { signal });
  await liblxc.start({ ...request, name: 'blue_c2' }, { signal });
  expect(observer.lookAll()).toEqual([
    { ...ref, status: 'Running', pid: initPid },
    expect.objectContaining({ project: 'blue', name: 'c2', status: 'Running' }),
  ]);
  await liblxc.freeze('c1', { signal });
  expect(observer.look(ref).status).toBe('Frozen');
});

test('hears when an init ends, once', async () => {
  const { liblxc, containers, gone, observer } = world();
  await liblxc.start(request, { signal });
  observer.watch(ref);
  observer.watch(ref);
  containers.end('c1');
  await sleep(50);
  expect(gone).toEqual(['c1']);
});

test('a reboot is no end: it is told, and watched again', async () => {
  const { liblxc, containers, gone, observer } = world();
  await liblxc.start(request, { signal });
  observer.watch(ref);
  const observations = observer.observe(signal);
  expect((await observations.next()).value).toMatchObject({ kind: 'all', instances: [{ name: 'c1' }] });
  containers.end('c1', true);
  const { value } = (await observations.next()) as { value: Observation };
  expect(value).toMatchObject({ kind: 'instance', cause: 'reboot', instance: { status: 'Running' } });
  expect(gone).toEqual([]);
  containers.end('c1');
  await sleep(50);
  expect(gone).toEqual(['c1']);
});

test('an observer that is disposed hears nothing any more; a listener that leaves ends', async () => {
  const { liblxc, containers, gone, observer } = world();
  await liblxc.start(request, { signal });
  observer.watch(ref);
  const leave = new AbortController();
  const observations = observer.observe(leave.signal);
  await observations.next();
  const next = observations.next();
  leave.abort();
  expect((await next).done).toBe(true);
  observer[Symbol.dispose]();
  containers.end('c1');
  await sleep(50);
  expect(gone).toEqual([]);
});

test('a monitor that answers nobody while it ends is waited for', async () => {
  const { containers, liblxc, gone } = world();
  let silent = 0;
  const state = (name: string) => {
    if (silent > 0)
      throw new LxdError('unavailable', `The monitor of "${name}" does not answer (${silent--})`);
    return liblxc.state(name);
  };
  const observer = new Observer({ ...liblxc, state }, ({ name }) => gone.push(name));
  await liblxc.start(request, { signal });
  observer.watch(ref);
  silent = 2;
  containers.end('c1');
  await sleep(50);
  expect(gone).toEqual([]);
  await sleep(300);
  expect(gone).toEqual(['c1']);
});
