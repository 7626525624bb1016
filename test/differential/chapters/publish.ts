import type { Step } from '../step.ts';

const path = '/1.0/images';
const source = (type: string, name: string) => ({ source: { type, name } });

export const publish: Step[] = [
  { name: 'publish nothing', rest: ['POST', path, source('instance', '')] },
  { name: 'publish an unknown instance', rest: ['POST', path, source('instance', 'nope')] },
  { name: 'publish an unknown snapshot', rest: ['POST', path, source('snapshot', 'c1/nope')] },
  { name: 'publish an instance as a snapshot', rest: ['POST', path, source('snapshot', 'c1')] },
  { name: 'lxc snapshot to publish', lxc: ['snapshot', 'c1', 'topublish'] },
  {
    name: 'lxc publish a snapshot',
    lxc: ['publish', 'c1/topublish', '--alias', 'published', '--public', 'os=own', 'description=Made here'],
  },
  { name: 'lxc image show published', lxc: ['image', 'show', 'published'] },
  { name: 'lxc init published', lxc: ['init', 'published', 'frompublished'] },
  { name: 'lxc start published', lxc: ['start', 'frompublished'] },
  { name: 'lxc publish while it runs', lxc: ['publish', 'frompublished', '--alias', 'again'] },
  {
    name: 'publish while it runs',
    rest: ['POST', path, source('instance', 'frompublished')],
  },
  { name: 'lxc publish by force', lxc: ['publish', 'frompublished', '--alias', 'again', '--force'] },
  { name: 'lxc list published', lxc: ['list', 'frompublished', '-c', 'ns', '-f', 'csv'] },
  { name: 'lxc image show again', lxc: ['image', 'show', 'again'] },
  { name: 'lxc delete published', lxc: ['delete', '-f', 'frompublished'] },
  { name: 'lxc image delete published', lxc: ['image', 'delete', 'published', 'again'] },
  { name: 'lxc delete published snapshot', lxc: ['delete', 'c1/topublish'] },
];
