import { fromYaml, mapFromYaml, toYaml } from './yaml.ts';

describe('toYaml', () => {
  it('writes as LXD does: quoted look-alikes, sorted configuration, lists not indented', () => {
    const record = {
      name: 'c1',
      config: { 'b.x': 'true', 'a.y': '2' },
      profiles: ['default'],
      devices: {},
      used_by: [],
    };
    expect(toYaml(record)).toBe(
      'name: c1\nconfig:\n  a.y: "2"\n  b.x: "true"\nprofiles:\n- default\ndevices: {}\nused_by: []\n',
    );
  });

  it('does not break long lines', () => {
    const long = 'word '.repeat(60).trim();
    expect(toYaml({ description: long })).toBe(`description: ${long}\n`);
  });
});

describe('fromYaml', () => {
  it('keeps configuration values as they are written', () => {
    const text =
      'ephemeral: false\nconfig:\n  limits.cpu: 2\n  a: 1.10\n  b: true\n  c:\ndevices:\n  eth0: {mtu: 1500}\n';
    expect(fromYaml(text)).toEqual({
      ephemeral: false,
      config: { 'limits.cpu': '2', a: '1.10', b: 'true', c: '' },
      devices: { eth0: { mtu: '1500' } },
    });
  });

  it('reads JSON and nothing', () => {
    expect(fromYaml('{"config": {"a": "b"}}')).toEqual({ config: { a: 'b' } });
    expect(fromYaml('')).toBeUndefined();
    expect(mapFromYaml('# only a comment\n')).toEqual({});
  });

  it('tells what is wrong in one line', () => {
    expect(() => fromYaml('a: [')).toThrow(/^Invalid YAML: [^\n]*$/);
    expect(() => mapFromYaml('- a')).toThrow('a map of keys and values is expected');
  });

  it('reads back what it wrote', () => {
    const record = { config: { 'user.x': 'a: b # c\n  d', y: '0x10', z: 'null', w: '' }, description: 'yes' };
    expect(fromYaml(toYaml(record))).toEqual(record);
  });
});
