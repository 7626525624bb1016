import type { Step } from '../step.ts';

export const server: Step[] = [
  { name: 'root', rest: ['GET', '/'] },
  { name: 'server', rest: ['GET', '/1.0'] },
  { name: 'set a user key', rest: ['PATCH', '/1.0', { config: { 'user.a': 'b' } }] },
  { name: 'unknown server key', rest: ['PATCH', '/1.0', { config: { nope: '1' } }] },
  { name: 'wrong server value', rest: ['PATCH', '/1.0', { config: { 'core.proxy_ignore_hosts': 5 } }] },
  { name: 'replace server configuration', rest: ['PUT', '/1.0', { config: {} }] },
  { name: 'old If-Match', rest: ['PUT', '/1.0', { config: {} }, { 'If-Match': 'nope' }] },
  { name: 'unknown path', rest: ['GET', '/1.0/nope'] },
  { name: 'unknown root path', rest: ['GET', '/nope'] },
  { name: 'wrong method', rest: ['DELETE', '/1.0'] },
  { name: 'other wrong method', rest: ['PUT', '/1.0/operations', {}] },
  { name: 'unknown operation', rest: ['GET', '/1.0/operations/6f5902ac-237d-4f2a-9c2f-7a2f1c3a4f50'] },
  {
    name: 'wait for unknown operation',
    rest: ['GET', '/1.0/operations/6f5902ac-237d-4f2a-9c2f-7a2f1c3a4f50/wait'],
  },
  {
    name: 'cancel unknown operation',
    rest: ['DELETE', '/1.0/operations/6f5902ac-237d-4f2a-9c2f-7a2f1c3a4f50'],
  },
  { name: 'resources', rest: ['GET', '/1.0/resources'] },
  { name: 'certificates', rest: ['GET', '/1.0/certificates'] },
  { name: 'projects', rest: ['GET', '/1.0/projects'] },
  { name: 'default project', rest: ['GET', '/1.0/projects/default'] },
  { name: 'unknown project', rest: ['GET', '/1.0/instances?project=nope'] },
  { name: 'cluster', rest: ['GET', '/1.0/cluster'] },
  { name: 'cluster members', rest: ['GET', '/1.0/cluster/members'] },
  { name: 'warnings', rest: ['GET', '/1.0/warnings'] },
];
