import { seccompPolicy } from './seccomp.ts';

const lines = (config: Record<string, string>) => seccompPolicy(config).split('\n');

test('denies by default what reaches past a container', () => {
  const policy = lines({});
  expect(policy.slice(0, 4)).toEqual(['2', 'denylist', 'reject_force_umount', '[all]']);
  for (const call of ['kexec_load', 'open_by_handle_at', 'finit_module'])
    expect(policy).toContain(`${call} errno 38`);
});

test("a user's list is added; the default can be left out", () => {
  expect(lines({ 'security.syscalls.deny': 'bpf errno 1' })).toEqual(
    expect.arrayContaining(['bpf errno 1', 'kexec_load errno 38']),
  );
  expect(lines({ 'security.syscalls.deny': 'bpf', 'security.syscalls.deny_default': 'false' })).toEqual([
    '2',
    'denylist',
    '[all]',
    'bpf',
    '',
  ]);
});

test('a policy of the user stands alone', () => {
  expect(seccompPolicy({ 'raw.seccomp': '2\ndenylist', 'security.syscalls.intercept.mknod': 'true' })).toBe(
    '2\ndenylist\n',
  );
});

test('a list of what is allowed replaces ours; old names work', () => {
  expect(lines({ 'security.syscalls.allow': 'read\nwrite' })).toEqual([
    '2',
    'allowlist',
    '[all]',
    'read',
    'write',
    '',
  ]);
  expect(lines({ 'security.syscalls.whitelist': 'read' })).toContain('allowlist');
  expect(lines({ 'security.syscalls.blacklist': 'bpf' })).toContain('bpf');
});

test('what is intercepted is held back, and nobody else can listen', () => {
  const key = (name: string) => `security.syscalls.intercept.${name}`;
  const policy = lines({ [key('mknod')]: 'true', [key('mount')]: '1' });
  expect(policy).toEqual(
    expect.arrayContaining([
      'seccomp errno 22 [1,8,SCMP_CMP_MASKED_EQ,8]',
      'mknodat notify [2,8192,SCMP_CMP_MASKED_EQ,61440]',
      'mount notify',
      'fsopen errno 38',
    ]),
  );
  expect(policy.join()).not.toContain('sysinfo');
  expect(lines({ [key('bpf')]: 'true' }).join()).not.toContain('notify');
  expect(lines({ [key('bpf')]: 'true', [key('bpf.devices')]: 'true' })).toContain(
    'bpf notify [0,5,SCMP_CMP_EQ]',
  );
  expect(lines({ [key('sysinfo')]: 'true', 'security.privileged': 'true' }).join()).not.toContain('notify');
  expect(lines({ [key('sysinfo')]: 'true', 'security.syscalls.allow': 'read' })).toContain('sysinfo notify');
});
