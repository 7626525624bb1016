import type { Step } from '../step.ts';

const json = { 'Content-Type': 'application/json' };
const bodies: readonly [string, unknown][] = [
  ['malformed JSON', '{"name": '],
  ['empty body', ''],
  ['null', 'null'],
  ['a list', '[]'],
  ['a number', '5'],
  ['an unknown field', { name: 'x', nope: true }],
];
const collections = ['instances', 'profiles', 'storage-pools', 'networks', 'images/aliases'];

export const errors: Step[] = [
  ...collections.flatMap((noun) =>
    bodies
      .filter(([what]) => what !== 'an unknown field')
      .map(([what, body]): Step => ({
        name: `${what} to ${noun}`,
        rest: ['POST', `/1.0/${noun}`, body, json],
      })),
  ),
  { name: 'malformed JSON to state', rest: ['PUT', '/1.0/instances/c1/state', '{', json] },
  { name: 'malformed JSON to exec', rest: ['POST', '/1.0/instances/c1/exec', '{', json] },
  { name: 'malformed JSON to instance', rest: ['PUT', '/1.0/instances/c1', '{', json] },
  { name: 'wrong type in state', rest: ['PUT', '/1.0/instances/c1/state', { action: 5 }] },
  {
    name: 'wrong type of timeout',
    rest: ['PUT', '/1.0/instances/c1/state', { action: 'start', timeout: 'x' }],
  },
  { name: 'wrong type of profiles', rest: ['POST', '/1.0/instances', { name: 'x', profiles: 'default' }] },
  { name: 'wrong type of devices', rest: ['POST', '/1.0/instances', { name: 'x', devices: { a: 5 } }] },
  ...[
    'DELETE /1.0/instances',
    'PATCH /1.0/profiles',
    'DELETE /1.0/images',
    'PUT /1.0/events',
    'POST /1.0/instances/c1/state',
    'POST /1.0',
  ].map((line): Step => {
    const [method = '', path = ''] = line.split(' ');
    return { name: `wrong method: ${line}`, rest: [method, path, {}] };
  }),
  ...['/1.0/instances/c1/nope', '/2.0', '/1.0/', '/1.0/instances/', '/1.0/instances/c1/'].map(
    (path): Step => ({ name: `unknown path ${path}`, rest: ['GET', path] }),
  ),
  { name: 'wrong recursion', rest: ['GET', '/1.0/instances?recursion=x'] },
  { name: 'wrong filter', rest: ['GET', '/1.0/instances?recursion=1&filter=nonsense'] },
  { name: 'websocket of unknown operation', rest: ['GET', '/1.0/operations/nope/websocket?secret=x'] },
  { name: 'nothing was changed', rest: ['GET', '/1.0/instances?recursion=1'] },
  { name: 'no profile was changed', rest: ['GET', '/1.0/profiles?recursion=1'] },
  { name: 'no pool was changed', rest: ['GET', '/1.0/storage-pools'] },
  { name: 'no network was changed', rest: ['GET', '/1.0/networks'] },
];
