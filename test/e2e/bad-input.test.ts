import { prepareGround, type Ground } from '../support/ground.ts';
import { startDaemon } from '../support/daemon.ts';
import type { Rest } from '../support/rest.ts';

let ground: Ground;
let rest: Rest;

/** Everything that a refused request must not have touched. */
const state = async (): Promise<unknown> =>
  Promise.all(
    ['instances', 'profiles', 'images', 'networks', 'storage-pools'].map(
      async (kind) => (await rest.send('GET', `/1.0/${kind}?recursion=1`)).metadata,
    ),
  );

beforeAll(async () => {
  ground = await prepareGround('bad', startDaemon);
  ({ rest } = ground.server);
  await rest.must('POST', '/1.0/storage-pools', { name: 'p', driver: 'dir' });
  const devices = { root: { type: 'disk', path: '/', pool: 'p' } };
  await rest.must('PUT', '/1.0/profiles/default', { devices });
  await rest.must('POST', '/1.0/instances', { name: 'c1', source: { type: 'none' } });
});
afterAll(async () => {
  await ground.clear();
});

/** Refused at once: method, path, body, status, what the message names. */
const refused: [what: string, method: string, path: string, body: unknown, status: number, names: RegExp][] =
  [
    ['malformed JSON', 'POST', '/1.0/instances', '{bad', 400, /JSON/],
    ['a wrong type', 'POST', '/1.0/instances', { name: 5, source: { type: 'none' } }, 400, /name/],
    ['a bad name', 'POST', '/1.0/instances', { name: 'a b', source: { type: 'none' } }, 400, /name/i],
    [
      'an unknown image',
      'POST',
      '/1.0/instances',
      { name: 'c2', source: { type: 'image', alias: 'nope' } },
      404,
      /Image alias not found/,
    ],
    ['an unknown instance', 'GET', '/1.0/instances/nope', undefined, 404, /Instance not found/],
    ['an unknown path', 'GET', '/1.0/nope', undefined, 404, /not found/],
    ['a wrong method', 'DELETE', '/1.0', undefined, 501, /not implemented/],
    ['a body too large', 'POST', '/1.0/profiles', Buffer.alloc(5 * 1024 * 1024, 'a'), 413, /4 MiB/],
    [
      'a profile with an unknown key',
      'POST',
      '/1.0/profiles',
      { name: 'x', config: { nope: '1' } },
      400,
      /nope/,
    ],
    ['a profile with a slash', 'POST', '/1.0/profiles', { name: 'a/b' }, 400, /slash/],
    [
      'an unknown storage driver',
      'POST',
      '/1.0/storage-pools',
      { name: 'x', driver: 'nope' },
      500,
      /driver/i,
    ],
    [
      'a bad subnet',
      'POST',
      '/1.0/networks',
      { name: 'brx', config: { 'ipv4.address': 'nope' } },
      500,
      /ipv4\.address/,
    ],
    ['an unknown server key', 'PUT', '/1.0', { config: { nope: '1' } }, 400, /nope/],
    ['an action that does not exist', 'PUT', '/1.0/instances/c1/state', { action: 'jump' }, 400, /action/i],
  ];

test.each(refused)('%s is refused and changes nothing', async (_what, method, path, body, status, names) => {
  const before = await state();
  const answer = await rest.send(method, path, body);
  expect(answer.error).toMatch(names);
  expect(answer.status).toBe(status);
  expect(JSON.parse(answer.text)).toMatchObject({ type: 'error', error_code: status });
  expect(await state()).toEqual(before);
});

/** Accepted as an operation, as LXD does, which then fails. */
const failing: [what: string, body: unknown, names: RegExp][] = [
  ['a duplicate name', { name: 'c1', source: { type: 'none' } }, /already exists/],
  ['an unknown key', { name: 'c2', config: { nope: '1' }, source: { type: 'none' } }, /nope/],
  [
    'an unknown device type',
    { name: 'c2', devices: { x: { type: 'nope' } }, source: { type: 'none' } },
    /device type/,
  ],
];

test.each(failing)('%s fails and changes nothing', async (_what, body, names) => {
  const before = await state();
  const { error } = await rest.call('POST', '/1.0/instances', body);
  expect(error).toMatch(names);
  expect(await state()).toEqual(before);
});

test('a change based on an old version is refused', async () => {
  const { headers } = await rest.send('GET', '/1.0/profiles/default');
  const etag = String(headers['etag']);
  const put = (body: unknown) => rest.send('PUT', '/1.0/profiles/default', body, { 'If-Match': etag });
  const devices = { root: { type: 'disk', path: '/', pool: 'p' } };
  expect((await put({ description: 'first', devices })).status).toBe(200);
  expect((await put({ description: 'second', devices })).status).toBe(412);
  const { description } = (await rest.send('GET', '/1.0/profiles/default')).metadata as {
    description: string;
  };
  expect(description).toBe('first');
});
