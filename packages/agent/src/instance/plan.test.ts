import type { InstanceStatus } from '@lxd-ts/core';
import { isUp, planStart, planStop } from './plan.ts';

const names = (steps: { do: string }[]) => steps.map((step) => step.do);
const seen = (status: InstanceStatus, runState = false) => ({ status, runState });
const start = [
  'claim-ids',
  'record-run',
  'open-root',
  'apply-templates',
  'open-devlxd',
  'start-devices',
  'prepare-app',
  'write-config',
  'start-init',
  'settle-devices',
];
const release = ['release-devices', 'close-root', 'forget-run'];

test('nothing is done to reach what is', () => {
  expect(planStart(seen('Running', true))).toEqual([]);
  expect(planStart(seen('Frozen', true))).toEqual([]);
  expect(planStop(seen('Stopped'), { force: true, timeoutMs: 0 })).toEqual([]);
});

test('a start records that it runs before its first effect', () => {
  expect(names(planStart(seen('Stopped')))).toEqual(start);
});

test('what an interrupted start left is released first', () => {
  expect(names(planStart(seen('Stopped', true)))).toEqual([...release, ...start]);
  expect(names(planStop(seen('Stopped', true), { force: false, timeoutMs: 1 }))).toEqual(release);
});

test('a clean stop asks first; a forced one, or one of a frozen instance, cannot', () => {
  const stop = { force: false, timeoutMs: 5_000 };
  expect(planStop(seen('Running', true), stop)[0]).toEqual({ do: 'shut-down', timeoutMs: 5_000 });
  expect(names(planStop(seen('Frozen', true), stop))).toEqual(['kill', ...release]);
  expect(names(planStop(seen('Running', true), { ...stop, force: true }))).toEqual(['kill', ...release]);
});

test('every status is up but stopped and error', () => {
  const all: InstanceStatus[] = ['Running', 'Stopped', 'Frozen', 'Starting', 'Stopping', 'Error'];
  expect(all.filter((status) => !isUp({ status }))).toEqual(['Stopped', 'Error']);
});
