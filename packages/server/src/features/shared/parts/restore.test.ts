import type { PoolSpec } from '@lxd-ts/core';
import { fakeAgent, harness, type Harness } from '../../testing/harness.ts';
import { restoreMember } from './restore.ts';

const signal = AbortSignal.timeout(20_000);
let h: Harness;
/** What the member was told, call by call. */
let told: PoolSpec[][];
/** Done while the member is at the first call. */
let meanwhile: () => Promise<void>;

beforeEach(async () => {
  told = [];
  meanwhile = () => Promise.resolve();
  const { agent } = fakeAgent();
  agent.restore = async ({ pools }) => {
    told.push(pools.filter(({ name }) => name === 'mine'));
    if (told.length === 1) await meanwhile();
  };
  h = await harness({ m1: agent });
  await h.records
    .transaction()
    .put('pools', ['mine'], {
      name: 'mine',
      driver: 'dir',
      description: '',
      status: 'Created',
      config: { 'user.is': 'new' },
      memberConfig: { m1: {} },
    })
    .commit({ signal });
});
afterEach(() => h[Symbol.asyncDispose]());

const restore = () => restoreMember(h.services, 'm1', () => [], signal);
const spec = (is: string): PoolSpec => ({ name: 'mine', driver: 'dir', config: { 'user.is': is } });
const owe = () =>
  h.records
    .transaction()
    .put('arrears', ['m1', 'pool', '', 'mine'], {
      member: 'm1',
      of: 'pool',
      project: '',
      name: 'mine',
      was: spec('old'),
    })
    .commit({ signal });
const arrear = () => h.records.get('arrears', 'm1', 'pool', '', 'mine');

it('tells a member once what nobody changes', async () => {
  await restore();
  expect(told).toEqual([[spec('new')]]);
});

it('tells it again what was changed meanwhile', async () => {
  meanwhile = () =>
    h.records.modify('pools', ['mine'], (pool) => ({ ...pool, config: { 'user.is': 'newer' } }), { signal });
  await restore();
  expect(told).toEqual([[spec('new')], [spec('newer')]]);
});

it('tells it again what another server had it follow meanwhile', async () => {
  await owe();
  meanwhile = () => h.records.transaction().remove('arrears', ['m1', 'pool', '', 'mine']).commit({ signal });
  await restore();
  expect(told).toEqual([[spec('old')], [spec('new')]]);
});

it('has another server that is at it do it again', async () => {
  await owe();
  const { revision = 0 } = arrear() ?? {};
  await restore();
  expect(told).toEqual([[spec('old')]]);
  const done = h.records
    .transaction()
    .delete('arrears', ['m1', 'pool', '', 'mine'], revision)
    .commit({ signal });
  await expect(done).rejects.toMatchObject({ code: 'precondition-failed' });
});
