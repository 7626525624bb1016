import { randomUUID } from 'node:crypto';
import { memoryStore, openRecords, type Records, type Store } from '@lxd-ts/state';
import { openOperations } from './open-operations.ts';
import type { OperationRequest, Operations } from './operations.ts';

const { signal } = new AbortController();
let store: Store;
let records: Records & AsyncDisposable;
let operations: Operations & AsyncDisposable;

const open = () =>
  openOperations({
    records,
    server: 's1',
    clock: { now: () => new Date() },
    uuid: randomUUID,
    onError: (error) => {
      throw error;
    },
  });

const request = (more: Partial<OperationRequest>): OperationRequest => ({
  class: 'task',
  description: 'Testing',
  project: 'default',
  resources: { instances: ['c1'] },
  run: () => Promise.resolve(),
  ...more,
});

beforeEach(async () => {
  store = memoryStore();
  records = await openRecords(store, { signal });
  operations = await open();
});
afterEach(async () => {
  await operations[Symbol.asyncDispose]();
  await records[Symbol.asyncDispose]();
  await store.close();
});

test('runs, tells its changes, and ends in success with what run returned', async () => {
  const seen: string[] = [];
  using _listener = operations.onChange(({ status }) => seen.push(status));
  const { id, resources } = await operations.start(
    request({
      run: async ({ update }) => {
        update({ progress: 'half' });
        await Promise.resolve();
        return { done: true };
      },
    }),
  );
  expect(resources).toEqual({ instances: ['/1.0/instances/c1'] });
  const over = await operations.wait(id, -1, { signal });
  expect(over).toMatchObject({
    status: 'Success',
    status_code: 200,
    metadata: { progress: 'half', done: true },
  });
  expect(seen).toEqual(['Pending', 'Running', 'Running', 'Success']);
});

test('a throw is its failure', async () => {
  const { id } = await operations.start(request({ run: () => Promise.reject(new Error('broken')) }));
  expect(await operations.wait(id, -1, { signal })).toMatchObject({ status: 'Failure', err: 'broken' });
});

test('is stored together with its intent while it runs', async () => {
  const gate = Promise.withResolvers<void>();
  const { id } = await operations.start(
    request({
      intent: (operation, transaction) => {
        transaction.create('placements', ['default', 'c1'], { member: operation });
      },
      run: () => gate.promise,
    }),
  );
  expect(records.get('operations', id)?.value.server).toBe('s1');
  expect(records.get('placements', 'default', 'c1')?.value.member).toBe(id);
  gate.resolve();
  await operations.wait(id, -1, { signal });
});

test('a lost intent starts nothing', async () => {
  await records.transaction().create('placements', ['default', 'c1'], { member: 'x' }).commit({ signal });
  let ran = false;
  const start = operations.start(
    request({
      intent: (_, transaction) => transaction.create('placements', ['default', 'c1'], { member: 'y' }),
      run: () => {
        ran = true;
        return Promise.resolve();
      },
    }),
  );
  await expect(start).rejects.toMatchObject({ code: 'precondition-failed' });
  expect(ran).toBe(false);
  expect(operations.list()).toEqual([]);
});

test('is cancelled when it may be, and only then', async () => {
  const run: OperationRequest['run'] = ({ signal: given }) =>
    new Promise((_, reject) => given.addEventListener('abort', () => reject(given.reason as Error)));
  const { id } = await operations.start(request({ mayCancel: true, run }));
  await operations.cancel(id);
  expect(await operations.wait(id, -1, { signal })).toMatchObject({ status: 'Cancelled', status_code: 401 });
  await expect(operations.cancel(id)).rejects.toMatchObject({ code: 'invalid' });
});

test('waiting ends with its time', async () => {
  const gate = Promise.withResolvers<void>();
  const { id } = await operations.start(request({ run: () => gate.promise }));
  expect((await operations.wait(id, 5, { signal })).status).toBe('Running');
  gate.resolve();
  await expect(operations.wait('none', 0, { signal })).rejects.toMatchObject({ code: 'not-found' });
});

test('a secret opens its socket and no other', async () => {
  const taken: unknown[] = [];
  const { id } = await operations.start(
    request({ class: 'websocket', sockets: { s3cret: (socket) => taken.push(socket) } }),
  );
  operations.socket(id, 's3cret')('socket');
  expect(taken).toEqual(['socket']);
  expect(() => operations.socket(id, 'toString')).toThrow('not authorized');
});

test('what an earlier run of this server left is gone', async () => {
  const gate = Promise.withResolvers<void>();
  const { id } = await operations.start(request({ run: () => gate.promise }));
  const later = await open();
  expect(records.get('operations', id)).toBeUndefined();
  await later[Symbol.asyncDispose]();
  gate.resolve();
});

test('draining waits for what runs and refuses what is new', async () => {
  const gate = Promise.withResolvers<void>();
  const stopped: OperationRequest['run'] = ({ signal: given }) =>
    new Promise((resolve) => given.addEventListener('abort', () => resolve()));
  await operations.start(request({ class: 'websocket', run: stopped }));
  const { id } = await operations.start(request({ run: () => gate.promise }));
  const drained = operations.drain({ signal });
  await expect(operations.start(request({}))).rejects.toMatchObject({ code: 'unavailable' });
  gate.resolve();
  await drained;
  expect(operations.get(id)?.status).toBe('Success');
});
