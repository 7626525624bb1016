import type { Step } from '../step.ts';

const path = '/1.0/images';

export const images: Step[] = [
  { name: 'no images', rest: ['GET', path] },
  { name: 'import image', rest: ['POST', path], upload: 'unified' },
  { name: 'import image twice', rest: ['POST', path], upload: 'unified' },
  { name: 'import rubbish', rest: ['POST', path, 'rubbish', { 'Content-Type': 'application/octet-stream' }] },
  { name: 'import from unknown type', rest: ['POST', path, { source: { type: 'nope' } }] },
  {
    name: 'import from unknown instance',
    rest: ['POST', path, { source: { type: 'instance', name: 'nope' } }],
  },
  { name: 'list images', rest: ['GET', path] },
  { name: 'list images, recursion', rest: ['GET', `${path}?recursion=1`] },
  { name: 'get image', rest: ['GET', `${path}/{fingerprint}`] },
  { name: 'get unknown image', rest: ['GET', `${path}/nope`] },
  { name: 'patch image', rest: ['PATCH', `${path}/{fingerprint}`, { properties: { os: 'bb', extra: '1' } }] },
  {
    name: 'put image',
    rest: [
      'PUT',
      `${path}/{fingerprint}`,
      { public: false, properties: { os: 'busybox' }, profiles: ['default'] },
    ],
  },
  { name: 'put image with unknown profile', rest: ['PUT', `${path}/{fingerprint}`, { profiles: ['nope'] }] },
  { name: 'get changed image', rest: ['GET', `${path}/{fingerprint}`] },
  { name: 'create alias', rest: ['POST', `${path}/aliases`, { name: 'bb', target: '{fingerprint}' }] },
  { name: 'alias of unknown image', rest: ['POST', `${path}/aliases`, { name: 'cc', target: 'nope' }] },
  { name: 'alias without a name', rest: ['POST', `${path}/aliases`, { target: 'nope' }] },
  { name: 'get unknown alias', rest: ['GET', `${path}/aliases/nope`] },
  { name: 'create alias twice', rest: ['POST', `${path}/aliases`, { name: 'bb', target: '{fingerprint}' }] },
  { name: 'get alias', rest: ['GET', `${path}/aliases/bb`] },
  { name: 'list aliases', rest: ['GET', `${path}/aliases?recursion=1`] },
  {
    name: 'describe alias',
    rest: ['PUT', `${path}/aliases/bb`, { description: 'two b', target: '{fingerprint}' }],
  },
  { name: 'rename alias', rest: ['POST', `${path}/aliases/bb`, { name: 'busybox' }] },
  { name: 'get renamed alias', rest: ['GET', `${path}/aliases/busybox`] },
  { name: 'delete unknown image', rest: ['DELETE', `${path}/nope`] },
  { name: 'delete unknown alias', rest: ['DELETE', `${path}/aliases/nope`] },
  {
    name: 'expect an image',
    rest: [
      'POST',
      path,
      { source: { type: 'image', mode: 'push', fingerprint: 'ab'.repeat(32) }, public: true },
    ],
    background: true,
  },
  { name: 'get its token', rest: ['GET', '/1.0/operations/{operation}'] },
  { name: 'expect it no longer', rest: ['DELETE', '/1.0/operations/{operation}'] },
  { name: 'send unknown image', rest: ['POST', `${path}/nope/export`, { target: 'https://127.0.0.1:1' }] },
];
