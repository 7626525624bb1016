import { access, lstat, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { arch, tmpdir } from 'node:os';
import { join } from 'node:path';
import { LxdError } from '@lxd-ts/core';
import { runTool } from '../base/run-tool.ts';
import { readSources, selectAptOptions, selectSources } from './apt-sources.ts';
import type { BuildBase } from './document/build-document.ts';
import { metadataYaml } from './metadata.ts';
import { mmdebstrapArgs } from './mmdebstrap-args.ts';
import { prepareRootfs } from './rootfs.ts';

export type Bootstrap = Extract<BuildBase, { kind: 'bootstrap' }>;

export interface BuiltImage extends AsyncDisposable {
  /** Unified: metadata.yaml and rootfs. Gone when disposed. */
  tarball: string;
}

const prefix = 'lxd-ts-build-';
const dayMs = 24 * 3_600_000;

/** What a build that was killed left on this machine. No build takes that long. */
async function sweep(): Promise<void> {
  for (const name of await readdir(tmpdir())) {
    if (!name.startsWith(prefix)) continue;
    const path = join(tmpdir(), name);
    const found = await lstat(path).catch(() => undefined);
    // Others may put things there; those of ours can only be ours.
    if (!found?.isDirectory() || found.uid !== process.getuid?.()) continue;
    if (Date.now() - found.mtimeMs > dayMs) await rm(path, { recursive: true, force: true });
  }
}

/** Files of apt's sources, by name. */
type SourceTexts = Readonly<Record<string, string>>;

const names = { debian: 'Debian', ubuntu: 'Ubuntu' } as const;

/** Which distribution this machine has. */
export async function here(): Promise<{ id: string; codename: string }> {
  const text = await readFile('/etc/os-release', 'utf8').catch(() => '');
  const field = (name: string) => new RegExp(`^${name}="?([\\w.-]+)`, 'm').exec(text)?.[1] ?? '';
  return { id: field('ID'), codename: field('VERSION_CODENAME') };
}

/** Where packages come from: the mirrors of the document, else this machine's own. @throws LxdError `invalid` */
export async function bootstrapSources(from: Bootstrap): Promise<SourceTexts> {
  const { distribution, release, mirrors, components } = from;
  if (mirrors.length > 0) {
    const lines = mirrors.map((mirror) => {
      const [url = '', suite = release] = mirror.split(' ');
      return `deb ${url} ${suite} ${components.join(' ')}\n`;
    });
    return { 'build.list': lines.join('') };
  }
  const { id, codename } = await here();
  if (id !== distribution)
    throw new LxdError(
      'invalid',
      `from.mirrors: is missing: this machine has none for ${names[distribution]}`,
    );
  const { list, deb822 } = selectSources(await readSources('/etc/apt'), codename, release);
  if (list === '' && deb822 === '')
    throw new LxdError('invalid', `from.mirrors: is missing: this machine has none for its own release`);
  return {
    ...(list === '' ? {} : { 'build.list': list }),
    ...(deb822 === '' ? {} : { 'build.sources': deb822 }),
  };
}

/** The keyring of another distribution than this machine's is where its package puts it. */
async function keyringOf(
  { distribution, mirrors }: Bootstrap,
  given: string | undefined,
): Promise<string | undefined> {
  if (given !== undefined || mirrors.length === 0) return given;
  const usual = `/usr/share/keyrings/${distribution}-archive-keyring.gpg`;
  return access(usual).then(
    () => usual,
    () => undefined,
  );
}

/** All that decides what is installed, but for what the mirrors have at the time. */
export const bootstrapIdentity = (
  { distribution, release, variant, packages }: Bootstrap,
  sources: SourceTexts,
  keyring: string | undefined,
): unknown => ({ distribution, release, variant, packages, sources, keyring, machine: arch() });

/** When the newest of the archives was made, which apt has verified. Seconds since the epoch. */
async function archiveDate(
  dir: string,
  { sources, aptOptions, keyring }: { sources: string; aptOptions: string; keyring: string | undefined },
  signal: AbortSignal,
): Promise<number> {
  const state = join(dir, 'apt');
  const lists = join(state, 'lists');
  await mkdir(join(lists, 'partial'), { recursive: true });
  const settings = {
    'Dir::State': state,
    'Dir::State::lists': lists,
    'Dir::State::status': '/dev/null',
    'Dir::Cache': join(state, 'cache'),
    'Dir::Etc::SourceList': '/dev/null',
    'Dir::Etc::SourceParts': sources,
    'APT::Sandbox::User': 'root',
    // Nothing of the indices but what says which there are.
    ...Object.fromEntries(
      ['Packages', 'Translations', 'DEP-11', 'Contents-deb', 'CNF'].map((target) => [
        `Acquire::IndexTargets::deb::${target}::DefaultEnabled`,
        'false',
      ]),
    ),
    ...(keyring === undefined ? {} : { 'Dir::Etc::Trusted': keyring }),
  };
  const options = Object.entries(settings).flatMap(([name, value]) => ['-o', `${name}=${value}`]);
  const env = { ...process.env, APT_CONFIG: aptOptions, LC_ALL: 'C.UTF-8' };
  await runTool('apt-get', [...options, '-qq', 'update'], { env, signal });
  const releases = (await readdir(lists)).filter((name) => /_(In)?Release$/.test(name));
  const texts = await Promise.all(releases.map((name) => readFile(join(lists, name), 'utf8')));
  const dates = texts.map((text) => Date.parse(/^Date: (.+)$/m.exec(text)?.[1] ?? '') / 1000);
  const newest = Math.max(0, ...dates.filter((date) => !Number.isNaN(date)));
  if (newest === 0) throw new LxdError('invalid', 'The mirrors do not say of when they are: give an epoch');
  return newest;
}

/**
 * Installs a distribution on this machine and packs it, the same bytes from the same packages. Its date is that of the
 * archive, unless one is given. @param say told of every stage
 */
export async function bootstrap(
  from: Bootstrap,
  options: {
    sources: SourceTexts;
    keyring: string | undefined;
    epoch: number | undefined;
    say: (line: string) => void;
    signal: AbortSignal;
  },
): Promise<BuiltImage> {
  const { say, signal } = options;
  if (process.getuid?.() !== 0)
    throw new LxdError('forbidden', 'from: to install a distribution on this machine needs root');
  const keyring = await keyringOf(from, options.keyring);
  await sweep();
  const dir = await mkdtemp(join(tmpdir(), prefix));
  const dispose = (): Promise<void> => rm(dir, { recursive: true, force: true });
  try {
    const rootfs = join(dir, 'rootfs');
    const sources = join(dir, 'sources');
    const aptOptions = join(dir, 'apt.conf');
    await mkdir(rootfs, { mode: 0o755 });
    await mkdir(sources);
    await writeFile(aptOptions, selectAptOptions(await runTool('apt-config', ['dump'])), { mode: 0o600 });
    for (const [name, text] of Object.entries(options.sources)) await writeFile(join(sources, name), text);
    const epoch = options.epoch ?? (await archiveDate(dir, { sources, aptOptions, keyring }, signal));
    const args = mmdebstrapArgs(
      from.release,
      { variant: from.variant, include: from.packages },
      {
        rootfs,
        aptOptions,
        sources: Object.keys(options.sources).map((name) => join(sources, name)),
        ...(keyring === undefined ? {} : { keyring }),
      },
    );
    await runTool('mmdebstrap', args, {
      env: { ...process.env, LC_ALL: 'C.UTF-8', SOURCE_DATE_EPOCH: String(epoch) },
      signal,
      onLine: (line) => {
        if (line.startsWith('I: ')) say(line.slice(3));
      },
    });
    await prepareRootfs(rootfs);
    const architecture = (await runTool('chroot', [rootfs, 'dpkg', '--print-architecture'])).trim();
    const created = new Date(epoch * 1000);
    const { release, variant, distribution } = from;
    const metadata = metadataYaml({ release, architecture, variant, created, os: names[distribution] });
    await writeFile(join(dir, 'metadata.yaml'), metadata);
    say('packing');
    const tarball = join(dir, `${distribution}-${release}-${architecture}.tar.gz`);
    await runTool(
      'tar',
      [
        ...['-C', dir, '--format=pax', '--pax-option=delete=atime,delete=ctime,exthdr.name=%d/PaxHeaders/%f'],
        ...['--sort=name', `--mtime=@${epoch}`, '--clamp-mtime', '--numeric-owner'],
        ...['--xattrs', '--xattrs-include=*', '--use-compress-program=gzip -n1'],
        ...['-cf', tarball, 'metadata.yaml', 'rootfs'],
      ],
      { signal },
    );
    await rm(rootfs, { recursive: true, force: true });
    return { tarball, [Symbol.asyncDispose]: dispose };
  } catch (error) {
    await dispose();
    throw error;
  }
}
