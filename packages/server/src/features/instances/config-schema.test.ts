import { checkInstanceConfig, checkProfileConfig } from './config-schema.ts';

const problem = (key: string, value: string): string | undefined => {
  try {
    checkInstanceConfig({ [key]: value });
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
};

// What LXD 5.0.2 answers to each.
const refused: [key: string, value: string, message: string][] = [
  ['foo', 'bar', 'Unknown configuration key: foo'],
  ['', 'bar', 'Unknown configuration key: '],
  ['volatile.foo', 'bar', 'Unknown configuration key: volatile.foo'],
  ['volatile.eth0.wat', 'x', 'Unknown configuration key: volatile.eth0.wat'],
  ['cloud-init.wat', 'x', 'Unknown configuration key: cloud-init.wat'],
  ['security.secureboot', 'true', 'Unknown configuration key: security.secureboot'],
  ['migration.stateful', 'true', 'Unknown configuration key: migration.stateful'],
  ['limits.hugepages.3MB', '1', 'Unknown configuration key: limits.hugepages.3MB'],
  ['boot.autostart', 'maybe', 'Invalid value for a boolean "maybe"'],
  ['limits.memory', 'abc', 'Invalid value: abc'],
  ['limits.memory', '-1', 'Invalid value: -1'],
  ['limits.cpu', 'a', 'Invalid CPU limit syntax'],
  ['limits.cpu.allowance', '25ms', 'Invalid allowance: 25ms'],
  ['limits.cpu.priority', '11', 'Invalid value for a limit "11". Must be between 0 and 10'],
  ['limits.cpu.priority', 'x', 'Invalid value for an integer "x"'],
  ['limits.memory.enforce', 'x', 'Invalid value "x" (not one of [soft hard])'],
  ['raw.lxc', 'foo', 'Invalid raw.lxc line: foo'],
  ['raw.lxc', 'lxc.net.0.type=veth', 'Only interface-specific ipv4/ipv6 lxc.net. keys are allowed'],
  ['raw.lxc', 'lxc.log.file = x', 'Setting lxc.logfile is not allowed'],
  ['raw.idmap', 'foo', 'Invalid ID map line "foo"'],
  ['raw.idmap', 'wat 1 1', 'Invalid ID map type "wat 1 1"'],
  [
    'raw.idmap',
    'both 1000-1003 1000-1002',
    'The ID map ranges are of different sizes "both 1000-1003 1000-1002"',
  ],
  [
    'snapshots.schedule',
    'x',
    'Schedule must be of the form: <minute> <hour> <day-of-month> <month> <day-of-week>',
  ],
  ['snapshots.expiry', 'x', 'Invalid expiry expression'],
  ['cluster.evacuate', 'x', 'Invalid value "x" (not one of [auto migrate live-migrate stop])'],
  ['volatile.uuid', 'x', 'Invalid UUID'],
  ['lease.expires_at', '2030-01-01', 'Invalid value "2030-01-01": a time is written as 2030-12-31T23:59:59Z'],
];

const accepted: [key: string, value: string][] = [
  ['limits.memory', '120%'],
  ['limits.memory', '1GB'],
  ['limits.memory', '512MiB'],
  ['limits.cpu', '0-3'],
  ['limits.cpu', '0'],
  ['limits.cpu', '0,2,4-5'],
  ['limits.cpu.allowance', '25ms/100ms'],
  ['limits.processes', '-1'],
  ['limits.kernel.nofile', '10:20'],
  ['linux.sysctl.net.ipv4.ip_forward', '1'],
  ['raw.lxc', '# a comment\nlxc.wat.file = x\n'],
  ['raw.lxc', 'lxc.net.0.ipv4.address = 10.0.0.2/24'],
  ['raw.idmap', 'uid 1000 1000\nboth 5-6 7-8'],
  ['security.idmap.size', '10'],
  ['snapshots.schedule', '@daily'],
  ['snapshots.schedule', '*/5 1-3 * * 1,2'],
  ['snapshots.expiry', '1d 2H'],
  ['environment.FOO', 'x'],
  ['image.os', 'x'],
  ['user.foo', 'x'],
  ['volatile.eth0.hwaddr', '00:16:3e:00:00:01'],
  ['volatile.eth0.last_state.created', 'x'],
  ['lease.expires_at', '2030-01-01T00:00:00Z'],
  ['boot.autostart', ''],
];

describe('checkInstanceConfig', () => {
  it.each(refused)('refuses %s=%j', (key, value, message) => {
    expect(problem(key, value)).toBe(message);
  });

  it.each([
    ['oci.entrypoint', "sh -c 'a b'"],
    ['oci.cwd', '/a b'],
    ['oci.user', '1000:app'],
    ['oci.stop_signal', 'SIGRTMIN+3'],
  ])('accepts %s=%j, which is ours', (key, value) => {
    expect(problem(key, value)).toBeUndefined();
  });

  it.each([
    ['oci.entrypoint', "sh 'a", "A quotation has no end: 'a"],
    ['oci.entrypoint', ' ', 'A command must have a word'],
    ['oci.cwd', 'a', 'Invalid value "a": an absolute path inside'],
    ['oci.cwd', '/a/../b', 'Invalid value "/a/../b": an absolute path inside'],
    ['oci.user', 'a:b:c', 'Invalid value "a:b:c": USER or USER:GROUP'],
    ['oci.stop_signal', 'SIGX', 'Invalid value "SIGX": a signal by name or number'],
    ['oci.x', '1', 'Unknown configuration key: oci.x'],
  ])('refuses %s=%j, which is ours', (key, value, message) => {
    expect(problem(key, value)).toBe(message);
  });

  it.each(accepted)('accepts %s=%j', (key, value) => {
    expect(problem(key, value)).toBeUndefined();
  });

  it('keeps what belongs to instances out of profiles', () => {
    expect(() => checkProfileConfig({ 'volatile.uuid': '' })).toThrow('Volatile keys');
    expect(() => checkProfileConfig({ 'lease.expires_at': '' })).toThrow('Lease keys');
    expect(() => checkProfileConfig({ 'image.os': 'x' })).toThrow('Image keys');
    expect(() => checkProfileConfig({ 'user.a': 'x' })).not.toThrow();
  });
});
