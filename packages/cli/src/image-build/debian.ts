import { LxdError } from '@lxd-ts/core';
import type { Context } from '../base/context.ts';
import { bootstrap, bootstrapSources, here, type Bootstrap, type BuiltImage } from './bootstrap.ts';

export interface BuildOptions {
  release: string | undefined;
  variant: string;
  include: readonly string[];
}

/** An image like this machine, or of another release of its distribution. Takes about half a minute, most of it apt. */
export async function buildDebian(
  context: Context,
  { release: wanted, variant, include }: BuildOptions,
  signal: AbortSignal,
): Promise<BuiltImage> {
  if (process.getuid?.() !== 0) throw new LxdError('forbidden', 'Building an image needs root');
  const { id, codename } = await here();
  const release = wanted ?? codename;
  if (release === '') throw new LxdError('invalid', 'This machine does not tell its release: use --release');
  if (!/^[a-z][a-z0-9.-]*$/.test(release)) throw new LxdError('invalid', `Invalid release "${release}"`);
  const from: Bootstrap = {
    kind: 'bootstrap',
    distribution: id === 'ubuntu' ? 'ubuntu' : 'debian',
    release,
    variant,
    mirrors: [],
    components: [],
    packages: include,
  };
  using progress = context.progress('Building');
  return await bootstrap(from, {
    sources: await bootstrapSources(from),
    keyring: undefined,
    epoch: Math.floor(context.io.now().getTime() / 1000),
    signal,
    say: (line) => progress.update(line.replace(/\.+$/, '')),
  });
}
