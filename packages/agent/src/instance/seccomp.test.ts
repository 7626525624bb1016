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
  expect(seccompPolicy({ 'raw.seccomp': '2\ndenylist' })).toBe('2\ndenylist\n');
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
