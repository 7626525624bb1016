import type { Step } from '../step.ts';

const path = '/1.0/instances/m1';
const file = (name: string, where: string): Step => ({ name, rest: ['GET', `${path}/files?path=${where}`] });
const template = (name: string, content: string): Step => ({
  name: `write template ${name}`,
  rest: [
    'POST',
    `${path}/metadata/templates?path=${name}`,
    content,
    { 'content-type': 'application/octet-stream' },
  ],
});
const lxc = (...args: string[]): Step => ({ name: `lxc ${args.join(' ')}`, lxc: args });
const make = (when: string[], name: string, more: object = {}) => ({
  when,
  create_only: false,
  template: name,
  properties: {},
  ...more,
});

const hosts = `127.0.0.1 localhost
127.0.1.1 {{ container.name }}
{% if config_get("user.more", "") == "" %}# nothing more{% else %}{{ config_get("user.more", "") }}{% endif %}
`;
const seed = `#cloud-config
instance-id: {{ config_get("volatile.cloud-init.instance-id", "none")|length }}
local-hostname: {{ instance.name }}
type: {{ instance.type }} {{ container.architecture }} {{ container.privileged }} {{ path }} {{ trigger }}
{{ config_get("cloud-init.user-data", properties.default) }}
{% for word in "ab" %}{{ forloop.Counter }}{{ word|upper }}{% if not forloop.Last %},{% endif %}{% endfor %}
{% set x = 2 %}{{ x * 3 + 1 }} {{ true }} {{ 1.5 }} {{ undefined|default:"-" }}{# gone #}
`;

/** What an image says of itself, and the files that its templates make. */
export const metadata: Step[] = [
  {
    name: 'an instance with templates',
    rest: ['POST', '/1.0/instances', { name: 'm1', source: { type: 'image', fingerprint: '{fingerprint}' } }],
  },
  { name: 'its metadata', rest: ['GET', `${path}/metadata`] },
  { name: 'no templates yet', rest: ['GET', `${path}/metadata/templates`] },
  template('hosts.tpl', hosts),
  template('seed.tpl', seed),
  template('plain', 'as it is\n'),
  { name: 'the templates', rest: ['GET', `${path}/metadata/templates`] },
  { name: 'one template', rest: ['GET', `${path}/metadata/templates?path=hosts.tpl`] },
  { name: 'a template that is not there', rest: ['GET', `${path}/metadata/templates?path=nope`] },
  { name: 'a template without a name', rest: ['POST', `${path}/metadata/templates`, 'x'] },
  template('../out', 'x'),
  template('a/b', 'x'),
  { name: 'delete a template', rest: ['DELETE', `${path}/metadata/templates?path=plain`] },
  { name: 'delete it again', rest: ['DELETE', `${path}/metadata/templates?path=plain`] },
  { name: 'delete none', rest: ['DELETE', `${path}/metadata/templates`] },
  {
    name: 'set the metadata',
    rest: [
      'PUT',
      `${path}/metadata`,
      {
        architecture: 'x86_64',
        creation_date: 5,
        expiry_date: 0,
        properties: { os: 'busybox' },
        templates: {
          '/etc/hosts': make(['create', 'copy'], 'hosts.tpl'),
          '/var/lib/cloud/seed/meta-data': make(['start'], 'seed.tpl', {
            properties: { default: 'nothing' },
          }),
          '/etc/once': make(['start'], 'hosts.tpl', { create_only: true }),
          '/etc/renamed': make(['rename'], 'hosts.tpl'),
        },
      },
    ],
  },
  { name: 'add to it', rest: ['PATCH', `${path}/metadata`, { properties: { release: '1' } }] },
  { name: 'the metadata now', rest: ['GET', `${path}/metadata`] },
  { name: 'wrong type of metadata', rest: ['PUT', `${path}/metadata`, { templates: 5 }] },
  { name: 'metadata of unknown', rest: ['GET', '/1.0/instances/nope/metadata'] },
  { name: 'templates of unknown', rest: ['GET', '/1.0/instances/nope/metadata/templates'] },
  lxc('config', 'template', 'list', 'm1'),
  lxc('config', 'template', 'show', 'm1', 'hosts.tpl'),
  lxc('config', 'metadata', 'show', 'm1'),
  {
    name: 'something to tell',
    rest: ['PATCH', path, { config: { 'cloud-init.user-data': 'told', 'user.more': '10.0.0.1 more' } }],
  },
  { name: 'started with templates', rest: ['PUT', `${path}/state`, { action: 'start' }] },
  file('made when it was created', '/etc/hosts'),
  file('made at the start', '/var/lib/cloud/seed/meta-data'),
  file('made once', '/etc/once'),
  file('not made yet', '/etc/renamed'),
  { name: 'stopped again', rest: ['PUT', `${path}/state`, { action: 'stop', force: true }] },
  { name: 'no more to tell', rest: ['PATCH', path, { config: { 'user.more': '' } }] },
  { name: 'renamed', rest: ['POST', path, { name: 'm2' }] },
  {
    name: 'copied',
    rest: [
      'POST',
      '/1.0/instances',
      { name: 'm1', profiles: ['default'], source: { type: 'copy', source: 'm2' } },
    ],
  },
  ...['m1', 'm2'].flatMap((name): Step[] => [
    { name: `start ${name}`, rest: ['PUT', `/1.0/instances/${name}/state`, { action: 'start' }] },
    ...['/etc/hosts', '/etc/once', '/etc/renamed'].map((where): Step => ({
      name: `${where} of ${name}`,
      rest: ['GET', `/1.0/instances/${name}/files?path=${where}`],
    })),
    { name: `stop ${name}`, rest: ['PUT', `/1.0/instances/${name}/state`, { action: 'stop', force: true }] },
    { name: `delete ${name}`, rest: ['DELETE', `/1.0/instances/${name}`] },
  ]),
  // Values of limits and of cloud-init.
  ...(
    [
      ['limits.cpu', '0-1,1'],
      ['limits.cpu', '1-'],
      ['limits.memory', '0'],
      ['limits.memory', '0%'],
      ['limits.memory', '1.5GiB'],
      ['limits.memory', '10 MB'],
      ['limits.cpu.allowance', '50'],
      ['limits.cpu.allowance', '10/100ms'],
      ['limits.cpu.priority', '11'],
      ['limits.processes', 'many'],
      ['limits.hugepages.2MB', '-3'],
      ['cloud-init.user-data', 'no: ['],
      ['security.syscalls.intercept.mknod', 'maybe'],
    ] as const
  ).map(([key, value]): Step => ({
    name: `${key}=${value}`,
    rest: ['PATCH', '/1.0/instances/c1', { config: { [key]: value } }],
  })),
  {
    name: 'allowed and denied system calls',
    rest: [
      'PATCH',
      '/1.0/instances/c1',
      { config: { 'security.syscalls.allow': 'read', 'security.syscalls.deny': 'write' } },
    ],
  },
  {
    name: 'a policy and a list',
    rest: [
      'PATCH',
      '/1.0/instances/c1',
      { config: { 'raw.seccomp': '2', 'security.syscalls.deny': 'write' } },
    ],
  },
  ...['ext4', 'ext4=fuse2fs'].map((fuse): Step => ({
    name: `trusted and mounted by a program: ${fuse}`,
    rest: [
      'PATCH',
      '/1.0/instances/c1',
      {
        config: {
          'security.syscalls.intercept.mount': 'true',
          'security.syscalls.intercept.mount.allowed': 'xfs,ext4',
          'security.syscalls.intercept.mount.fuse': fuse,
        },
      },
    ],
  })),
  {
    name: 'without all of these',
    rest: [
      'PATCH',
      '/1.0/instances/c1',
      { config: { 'limits.cpu.allowance': '', 'cloud-init.user-data': '', 'limits.processes': '' } },
    ],
  },
];
