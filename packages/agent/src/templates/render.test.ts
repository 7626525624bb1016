import fc from 'fast-check';
import { render } from './render.ts';

const container = { name: 'c1', architecture: 'x86_64', type: 'container', privileged: 'false' };
const config: Record<string, string> = { 'user.x': 'why', 'image.os': 'busybox' };
const environment = {
  values: {
    container,
    instance: container,
    trigger: 'start',
    path: '/etc/all',
    properties: { k: 'v', b: 'c' },
    devices: { root: { path: '/', pool: 'default', type: 'disk' } },
    list: ['a', 'b'],
  },
  functions: {
    config_get: (name: unknown, otherwise: string) => config[String(name)] ?? otherwise,
  } as never,
};
const rendered = (template: string) => render(template, environment);

/** What real LXD 5.0.2 made of the same lines. */
test.each([
  [
    '{{ container.name }}|{{ instance.name }}|{{ trigger }}|{{ path }}|{{ properties.k }}|{{ properties.none }}',
    'c1|c1|start|/etc/all|v|',
  ],
  [
    '{{ config_get("user.x","dflt") }}|{{ config_get("user.y", "") }}|{{ config_get("user.y", properties.k) }}',
    'why||v',
  ],
  [
    '{{ true }}|{{ false }}|{{ 5 }}|{{ 1.5 }}|{{ nil }}|{{ undefined }}|{{ "a<b>&" }}',
    'True|False|5|1.500000|||a<b>&',
  ],
  ['{% if trigger == "start" %}S{% elif trigger == "create" %}C{% else %}O{% endif %}', 'S'],
  ['{% if not container.privileged %}unprivileged{% endif %}|', '|'],
  ['{% if config_get("user.x","") == "" %}empty{% else %}{{ config_get("user.x","") }}{% endif %}', 'why'],
  ['{% for k, v in properties %}{{ k }}={{ v }};{% endfor %}', 'b=c;k=v;'],
  [
    '{% for x in "abc" %}{{ x }}{{ forloop.Counter }}{{ forloop.Counter0 }}{{ forloop.First }}{{ forloop.Last }},{% empty %}none{% endfor %}',
    'a10TrueFalse,b21FalseFalse,c32FalseTrue,',
  ],
  [
    '{{ "Abc"|lower }}|{{ "abc"|upper }}|{{ "abc def"|capfirst }}|{{ "abc def"|title }}|{{ "abc"|length }}',
    'abc|ABC|Abc def|Abc Def|3',
  ],
  [
    '{{ ""|default:"d" }}|{{ undefined|default:"d" }}|{{ "a,b"|split:","|join:"-" }}|{{ "abc"|first }}|{{ "abc"|last }}|{{ "abc"|cut:"b" }}',
    'd|d|a-b|a|c|ac',
  ],
  ['{% set z = "set" %}{{ z }}|{# comment #}|{% comment %}x{% endcomment %}', 'set||'],
  ['{{ 1 + 2 }}|{{ 2 * 3 }}|{{ 7 / 2 }}|{{ 7 % 2 }}', '3|6|3|1'],
  [
    '{% if "a" in "abc" %}in{% endif %}|{% if 1 < 2 and 2 > 1 %}and{% endif %}|{% if false or true %}or{% endif %}',
    'in|and|or',
  ],
  [
    '{% ifequal trigger "create" %}eq{% else %}ne{% endifequal %}|{% with a="w" %}{{ a }}{% endwith %}',
    'ne|w',
  ],
  ['{{ devices.root.path }}|{{ devices.root.pool }}|{{ config_get("image.os","?") }}', '/|default|busybox'],
  ['12\n{%- if true -%} trim {%- endif -%} x', '12trimx'],
])('%j', (template, expected) => {
  expect(rendered(template)).toBe(expected);
});

test('as cloud images have them', () => {
  const network = `{% if config_get("user.network-config", "") == "" %}version: 1
config:
  - type: physical
    name: eth0
    subnets:
      - type: {% if config_get("user.network_mode", "") == "link-local" %}manual{% else %}dhcp{% endif %}
        control: auto{% else %}{{ config_get("user.network-config", "") }}{% endif %}`;
  expect(rendered(network)).toBe(
    'version: 1\nconfig:\n  - type: physical\n    name: eth0\n    subnets:\n      - type: dhcp\n        control: auto',
  );
  config['user.network-config'] = 'version: 2';
  expect(rendered(network)).toBe('version: 2');
  expect(rendered('{{ config_get("cloud-init.user-data", config_get("user.x", "")) }}')).toBe('why');
});

test.each([
  ['{% if true %}', '{% endif %} is missing'],
  ['{% include "/etc/shadow" %}', '{% include %} is not known here'],
  ['{{ 1 + }}', 'is no expression'],
  ['{{ a b }}', '"b" is too much'],
  ['{{ exec("id") }}', 'exec() is not known here'],
  ['{{ "a"|constructor }}', 'The filter "constructor" is not known here'],
  ['{{ 1 / 0 }}', 'divides by zero'],
  ['{{ "unclosed }}', 'is no expression'],
])('%s is refused', (template, message) => {
  expect(() => rendered(template)).toThrow(message);
});

test.each([
  '{{ container.constructor }}',
  '{{ container.__proto__ }}',
  '{{ container["constructor"]["constructor"] }}',
  '{{ config_get.constructor }}',
  '{{ "a".constructor }}',
  '{{ list.map }}',
  '{{ toString }}',
])('%s is nothing', (template) => {
  expect(rendered(template)).toBe('');
});

const big = `"${'x'.repeat(1000)}"`;
test.each([
  [
    'loops in loops',
    '{% for a in s %}{% for b in s %}{% for c in s %}{{ c }}{% endfor %}{% endfor %}{% endfor %}',
  ],
  ['doubling', `{% set x = ${big} %}${'{% set x = x + x %}'.repeat(40)}`],
  ['joining', '{% with t=s|join:s %}{% with u=t|join:t %}{{ u|join:u|length }}{% endwith %}{% endwith %}'],
  ['depth', `{{ ${'('.repeat(5000)}1${')'.repeat(5000)} }}`],
  ['tags', `${'{% if true %}'.repeat(5000)}${'{% endif %}'.repeat(5000)}`],
  ['nots', `{{ ${'not '.repeat(5000)}true }}`],
  ['minuses', `{{ ${'- '.repeat(5000)}1 }}`],
  ['members', `{{ a${'.b'.repeat(50_000)} }}`],
])('%s: cut off', (_, template) => {
  const values = { s: 'y'.repeat(500) };
  expect(() => render(template, { values, functions: {} })).toThrow(
    /too (many|deep|long)|more than|too much/,
  );
});

test('whatever it is given, it ends with a text or an error of ours', () => {
  const piece = fc.oneof(
    fc.constantFrom(
      '{{',
      '}}',
      '{%',
      '%}',
      '{#',
      '#}',
      'if',
      'for x in list',
      'endfor',
      'endif',
      '|',
      ':',
      '"',
      '(',
    ),
    fc.string({ maxLength: 5 }),
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 30 }), (pieces) => {
      try {
        expect(typeof rendered(pieces.join(' '))).toBe('string');
      } catch (error) {
        expect(error).toMatchObject({ code: 'invalid' });
      }
    }),
  );
});
