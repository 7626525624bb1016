import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { LxdError } from '@lxd-ts/core';
import type { Context } from '../base/context.ts';
import { runTool } from '../base/run-tool.ts';
import { readSources, selectAptOptions, selectSources } from './apt-sources.ts';
import { metadataYaml } from './metadata.ts';
import { prepareRootfs } from './rootfs.ts';

export interface BuildOptions {
  release: string | undefined;
  variant: string;
  include: readonly string[];
}

export interface BuiltImage extends AsyncDisposable {
  /** Unified: metadata.yaml and rootfs. Gone when disposed. */
  tarball: string;
}

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

async function codenameHere(): Promise<string> {
  const text = await readFile('/etc/os-release', 'utf8').catch(() => '');
  const name = /^VERSION_CODENAME=(\w+)/m.exec(text)?.[1];
  if (name === undefined)
    throw new LxdError('invalid', 'This machine does not tell its release: use --release');
  return name;
}

/** Arguments for mmdebstrap: options, suite, target, then the files with the sources. */
export function mmdebstrapArgs(
  release: string,
  { variant, include }: BuildOptions,
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

async function writeSources(dir: string, codename: string, release: string): Promise<string[]> {
  const { list, deb822 } = selectSources(await readSources('/etc/apt'), codename, release);
  const files = [
    { path: join(dir, 'debian.list'), text: list },
    { path: join(dir, 'debian.sources'), text: deb822 },
  ].filter(({ text }) => text !== '');
  for (const { path, text } of files) await writeFile(path, text);
  return files.map(({ path }) => path);
}

/** Builds an image in a temporary directory. Takes about half a minute, most of it apt. */
export async function buildDebian(context: Context, options: BuildOptions): Promise<BuiltImage> {
  if (process.getuid?.() !== 0) throw new LxdError('forbidden', 'Building an image needs root');
  const codename = await codenameHere();
  const release = options.release ?? codename;
  if (!/^[a-z][a-z0-9.-]*$/.test(release)) throw new LxdError('invalid', `Invalid release "${release}"`);
  const dir = await mkdtemp(join(tmpdir(), 'lxd-ts-build-'));
  const dispose = (): Promise<void> => rm(dir, { recursive: true, force: true });
  try {
    using progress = context.progress('Building');
    const rootfs = join(dir, 'rootfs');
    const aptOptions = join(dir, 'apt.conf');
    const dump = await runTool('apt-config', ['dump']);
    await writeFile(aptOptions, selectAptOptions(dump), { mode: 0o600 });
    await mkdir(rootfs, { mode: 0o755 });
    const sources = await writeSources(dir, codename, release);
    await runTool('mmdebstrap', mmdebstrapArgs(release, options, { rootfs, aptOptions, sources }), {
      env: { ...process.env, LC_ALL: 'C.UTF-8' },
      onLine: (line) => {
        if (line.startsWith('I: ')) progress.update(line.slice(3).replace(/\.+$/, ''));
      },
    });
    progress.update('configuring');
    await prepareRootfs(rootfs);
    const architecture = (await runTool('chroot', [rootfs, 'dpkg', '--print-architecture'])).trim();
    const metadata = metadataYaml({
      release,
      architecture,
      variant: options.variant,
      created: context.io.now(),
    });
    await writeFile(join(dir, 'metadata.yaml'), metadata);
    progress.update('packing');
    const tarball = join(dir, `debian-${release}-${architecture}.tar.gz`);
    await runTool('tar', [
      ...['-C', dir, '--numeric-owner', '--xattrs', '--xattrs-include=*', '--use-compress-program=gzip -1'],
      ...['-cf', tarball, 'metadata.yaml', 'rootfs'],
    ]);
    await rm(rootfs, { recursive: true, force: true });
    return { tarball, [Symbol.asyncDispose]: dispose };
  } catch (error) {
    await dispose();
    throw error;
  }
}
