import { isTrue, type Config } from '@lxd-ts/core';
import { interceptPolicy } from './intercept.ts';

/** Calls that reach past the container even with every capability gone: loading kernels and modules, handles of any file. */
const denied = [
  'kexec_load',
  'kexec_file_load',
  'open_by_handle_at',
  'init_module',
  'finit_module',
  'delete_module',
];

const lines = (value: string | undefined): string[] =>
  (value ?? '').split('\n').filter((line) => line.trim());

/**
 * The policy file for liblxc. A user's own list (`security.syscalls.allow`, `.deny`) replaces or extends ours; `raw.seccomp` is
 * a whole one. `security.syscalls.deny_compat` has no effect, as with LXD on Debian 12: liblxc applies each line to
 * the calls of every kind of program that the machine runs.
 */
export function seccompPolicy(config: Config): string {
  if (config['raw.seccomp']) return `${config['raw.seccomp']}\n`;
  const allow = lines(config['security.syscalls.allow'] ?? config['security.syscalls.whitelist']);
  if (allow.length > 0)
    return ['2', 'allowlist', '[all]', ...allow, ...interceptPolicy(config), ''].join('\n');

  const withDefault = isTrue(
    config['security.syscalls.deny_default'] ?? config['security.syscalls.blacklist_default'] ?? 'true',
  );
  const deny = lines(config['security.syscalls.deny'] ?? config['security.syscalls.blacklist']);
  return [
    '2',
    'denylist',
    ...(withDefault ? ['reject_force_umount'] : []),
    '[all]',
    ...(withDefault ? denied.map((call) => `${call} errno 38`) : []),
    ...deny,
    ...interceptPolicy(config),
    '',
  ].join('\n');
}
