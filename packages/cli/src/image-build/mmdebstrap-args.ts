/** udev: without it networkd waits for ever where /sys is writable. */
const basePackages = [
  'systemd',
  'systemd-sysv',
  'dbus',
  'udev',
  'iproute2',
  'iputils-ping',
  'procps',
  'netbase',
  'ca-certificates',
  'less',
  'vim-tiny',
];

/** systemd-resolved became a package of its own in Debian 12. */
const hasOwnResolved = (release: string): boolean =>
  !['buster', 'bullseye', 'focal', 'jammy'].includes(release);

/** Arguments for mmdebstrap: options, suite, target, then the files with the sources. */
export function mmdebstrapArgs(
  release: string,
  { variant, include }: { variant: string; include: readonly string[] },
  paths: { rootfs: string; aptOptions: string; sources: readonly string[]; keyring?: string },
): string[] {
  const packages = [...basePackages, ...(hasOwnResolved(release) ? ['systemd-resolved'] : []), ...include];
  return [
    '--mode=root',
    '--format=directory',
    `--variant=${variant}`,
    `--include=${packages.join(',')}`,
    `--aptopt=${paths.aptOptions}`,
    ...(paths.keyring === undefined ? [] : [`--keyring=${paths.keyring}`]),
    release,
    paths.rootfs,
    ...paths.sources,
  ];
}
