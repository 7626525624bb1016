import type { Step } from '../step.ts';

const path = '/1.0/profiles';
const devices = {
  root: { type: 'disk', path: '/', pool: 'default' },
  eth0: { type: 'nic', name: 'eth0', network: 'br1' },
};

export const profiles: Step[] = [
  { name: 'profiles', rest: ['GET', path] },
  { name: 'default profile at first', rest: ['GET', `${path}/default`] },
  {
    name: 'put default profile',
    rest: ['PUT', `${path}/default`, { description: 'd', config: {}, devices }],
  },
  { name: 'create profile', rest: ['POST', path, { name: 'p1', config: { 'limits.memory': '128MiB' } }] },
  { name: 'profile twice', rest: ['POST', path, { name: 'p1' }] },
  { name: 'profile without a name', rest: ['POST', path, {}] },
  { name: 'profile with a slash', rest: ['POST', path, { name: 'a/b' }] },
  { name: 'profile called dot', rest: ['POST', path, { name: '..' }] },
  { name: 'unknown profile key', rest: ['POST', path, { name: 'x', config: { nope: '1' } }] },
  { name: 'wrong profile value', rest: ['POST', path, { name: 'x', config: { 'limits.memory': 'much' } }] },
  { name: 'unknown device type', rest: ['POST', path, { name: 'x', devices: { d: { type: 'nope' } } }] },
  { name: 'device without a path', rest: ['POST', path, { name: 'x', devices: { d: { type: 'disk' } } }] },
  {
    name: 'nic of unknown network',
    rest: ['POST', path, { name: 'x', devices: { e: { type: 'nic', network: 'nope' } } }],
  },
  { name: 'wrong type of config', rest: ['POST', path, { name: 'x', config: [] }] },
  { name: 'wrong type of name', rest: ['POST', path, { name: 5 }] },
  { name: 'number in config', rest: ['POST', path, { name: 'x', config: { 'limits.cpu': 5 } }] },
  { name: 'get profile', rest: ['GET', `${path}/p1`] },
  { name: 'get unknown profile', rest: ['GET', `${path}/nope`] },
  { name: 'list profiles, recursion', rest: ['GET', `${path}?recursion=1`] },
  { name: 'patch profile', rest: ['PATCH', `${path}/p1`, { config: { 'user.x': 'y' } }] },
  { name: 'get patched profile', rest: ['GET', `${path}/p1`] },
  {
    name: 'put profile with old If-Match',
    rest: ['PUT', `${path}/p1`, { config: {} }, { 'If-Match': 'old' }],
  },
  { name: 'rename profile', rest: ['POST', `${path}/p1`, { name: 'p2' }] },
  { name: 'rename to a taken name', rest: ['POST', `${path}/p2`, { name: 'default' }] },
  { name: 'rename default profile', rest: ['POST', `${path}/default`, { name: 'x' }] },
  { name: 'delete default profile', rest: ['DELETE', `${path}/default`] },
  { name: 'delete unknown profile', rest: ['DELETE', `${path}/nope`] },
];
