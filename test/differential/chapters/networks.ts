import type { Step } from '../step.ts';

const networksPath = '/1.0/networks';
const config = {
  'ipv4.address': '10.88.7.1/24',
  'ipv4.nat': 'true',
  'ipv6.address': 'none',
  'ipv4.dhcp.ranges': '10.88.7.10-10.88.7.99',
};

export const networks: Step[] = [
  { name: 'no networks', rest: ['GET', networksPath] },
  { name: 'create network', rest: ['POST', networksPath, { name: 'br1', config }] },
  {
    name: 'create network of defaults',
    rest: ['POST', networksPath, { name: 'br2', type: 'bridge', config: { 'ipv4.address': '10.88.8.1/24' } }],
  },
  { name: 'network twice', rest: ['POST', networksPath, { name: 'br1' }] },
  { name: 'network without a name', rest: ['POST', networksPath, {}] },
  { name: 'bad network name', rest: ['POST', networksPath, { name: 'a b' }] },
  { name: 'long network name', rest: ['POST', networksPath, { name: 'abcdefghijklmnop' }] },
  { name: 'unknown network type', rest: ['POST', networksPath, { name: 'x1', type: 'nope' }] },
  { name: 'unknown network key', rest: ['POST', networksPath, { name: 'x1', config: { nope: '1' } }] },
  { name: 'bad subnet', rest: ['POST', networksPath, { name: 'x1', config: { 'ipv4.address': 'nope' } }] },
  { name: 'bad boolean', rest: ['POST', networksPath, { name: 'x1', config: { 'ipv4.nat': 'perhaps' } }] },
  { name: 'get network', rest: ['GET', `${networksPath}/br1`] },
  { name: 'get network of defaults', rest: ['GET', `${networksPath}/br2`] },
  { name: 'get unknown network', rest: ['GET', `${networksPath}/nope`] },
  { name: 'list networks', rest: ['GET', networksPath] },
  { name: 'network state', rest: ['GET', `${networksPath}/br1/state`] },
  { name: 'network leases', rest: ['GET', `${networksPath}/br1/leases`] },
  { name: 'patch network', rest: ['PATCH', `${networksPath}/br1`, { config: { 'dns.domain': 'test' } }] },
  {
    name: 'patch network with unknown key',
    rest: ['PATCH', `${networksPath}/br1`, { config: { nope: '1' } }],
  },
  { name: 'get patched network', rest: ['GET', `${networksPath}/br1`] },
  { name: 'rename network', rest: ['POST', `${networksPath}/br2`, { name: 'br3' }] },
  { name: 'get renamed network', rest: ['GET', `${networksPath}/br3`] },
  { name: 'delete network', rest: ['DELETE', `${networksPath}/br3`] },
  { name: 'delete network twice', rest: ['DELETE', `${networksPath}/br3`] },
];
