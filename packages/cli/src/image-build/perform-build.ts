import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { Writable } from 'node:stream';
import { LxdError, toLxdError } from '@lxd-ts/core';
import type { Image, Profile, StoragePool } from '@lxd-ts/client';
import { apiPath } from '../base/names.ts';
import type { Context } from '../base/context.ts';
import { uploadImage } from '../commands/image/upload.ts';
import type { FoundImage } from '../remotes/image-source.ts';
import { bootstrap } from './bootstrap.ts';
import type { FoundBase } from './build-base.ts';
import type { BuildCache } from './build-cache.ts';
import { Builder } from './builder.ts';
import { builderNetwork } from './builder-network.ts';
import type { BuildDocument, BuildRun } from './document/build-document.ts';
import { finishImage, keyProperties, withoutKeys } from './finish-image.ts';
import { leftOut } from './left-out.ts';
import { packageCommand } from './package-script.ts';
import type { BuildPlan, PlannedStep } from './plan-build.ts';
import { stageTitle } from './plan-text.ts';
import { putFiles, usersOf } from './put-files.ts';
import type { BuildInputs } from './read-inputs.ts';

/** A build, planned. */
export interface Build {
  context: Context;
  document: BuildDocument;
  inputs: BuildInputs;
  base: FoundBase;
  plan: BuildPlan;
  cache: BuildCache;
  signal: AbortSignal;
}

/** Of an image that does not say when it was made. */
const someEpoch = 946_684_800;

/** Steps are read again soon and by the same server: what counts is that it is quick. */
const stepCompression = 'zstd';

const ofServer = (context: Context, image: Image): FoundImage => ({
  kind: 'lxd',
  context,
  image,
  public: image.public,
});

/** @throws LxdError `invalid` where the server has none */
async function builderPool(
  { client }: Context,
  wanted: string | undefined,
  signal: AbortSignal,
): Promise<string> {
  const [profile, pools] = await Promise.all([
    client.get<Profile>(apiPath('profiles', 'default'), { signal }),
    client.get<StoragePool[]>('/1.0/storage-pools', { query: { recursion: 1 }, signal }),
  ]);
  const names = pools.map(({ name }) => name);
  if (wanted !== undefined && !names.includes(wanted))
    throw new LxdError(
      'invalid',
      `builder.pool: the server has no pool "${wanted}"; there are ${names.join(', ')}`,
    );
  const root = Object.values(profile.devices).find(({ type, path }) => type === 'disk' && path === '/');
  const pool = wanted ?? root?.['pool'] ?? names[0];
  if (pool === undefined) throw new LxdError('invalid', 'The server has no storage pool to build in');
  return pool;
}

async function sha256(file: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(file, { highWaterMark: 1 << 20 })) hash.update(chunk as Buffer);
  return hash.digest('hex');
}

/** The image to begin with: it is found, was installed before, or is installed now. */
async function provideBase({ context, base, plan, cache, document, signal }: Build): Promise<FoundImage> {
  if (base.kind === 'image') return base.found;
  const known = cache.step(plan.baseKey);
  if (known) return ofServer(context, known);
  const { from, sources, keyring } = base;
  using progress = context.progress('Installing');
  await using built = await bootstrap(from, {
    sources,
    keyring,
    epoch: document.epoch,
    signal,
    say: (line) => {
      if (progress.enabled) progress.update(line);
      else context.say(line);
    },
  });
  const { client } = context;
  const there = (fingerprint: string) => client.get<Image>(apiPath('images', fingerprint), { signal });
  try {
    const properties = { [keyProperties.step]: plan.baseKey };
    const fingerprint = await uploadImage(
      context,
      { meta: built.tarball },
      { public: false, properties, cached: true, signal },
    );
    return ofServer(context, await there(fingerprint));
  } catch (error) {
    signal.throwIfAborted();
    // The same came of it as before.
    const same = await sha256(built.tarball)
      .then(there)
      .catch(() => undefined);
    if (!same) throw error;
    return ofServer(context, same);
  }
}

/** Shows what a command says, unless nothing is to be shown, on lines of its own. */
function display(out: Writable, isShown: boolean): { stream: Writable; endLine(): void } {
  let isOpen = false;
  const stream = new Writable({
    write(chunk: Buffer, _encoding, done) {
      isOpen = chunk.at(-1) !== 0x0a;
      if (!isShown || out.write(chunk)) done();
      else out.once('drain', done);
    },
  });
  return {
    stream,
    endLine: () => {
      if (isShown && isOpen) out.write('\n');
    },
  };
}

async function runStep(
  { context, document, signal }: Build,
  builder: Builder,
  { work, title }: PlannedStep,
  epoch: number,
): Promise<void> {
  if (work.kind === 'files') {
    await putFiles(builder, work.nodes, signal);
    return;
  }
  const plain: BuildRun = { command: [], env: {}, user: '0:0', cwd: '/', network: true };
  const { command, env, user, cwd, network } =
    work.kind === 'run' ? work.run : { ...plain, command: packageCommand(work.packages) };
  const { uid, gid, home } =
    user === plain.user ? { uid: 0, gid: 0, home: '/root' } : (await usersOf(builder))(user);
  const { io, globals } = context;
  const shown = display(io.stdout, !globals.quiet);
  const ended = await builder.running(network, () =>
    builder.run({
      argv: typeof command === 'string' ? ['/bin/sh', '-ec', command] : command,
      env: {
        DEBIAN_FRONTEND: 'noninteractive',
        SOURCE_DATE_EPOCH: String(epoch),
        HOME: home,
        ...document.env,
        ...env,
      },
      ...{ uid, gid, cwd },
      stdout: shown.stream,
      stderr: io.stderr,
    }),
  );
  shown.endLine();
  if (ended.code === 0) return;
  const why = ended.error === undefined ? '' : ` (${ended.error})`;
  throw new LxdError('internal', `"${title}" failed with exit status ${ended.code}${why}`);
}

/** Whatever came of it is an image of the server. @param keep false: it is only to be fetched, and goes by itself if it is not */
export async function performBuild(
  build: Build,
  options: { public: boolean; keep: boolean },
): Promise<{ fingerprint: string; isNew: boolean }> {
  const { context, document, inputs, base, plan, cache, signal } = build;
  const { steps, resultKey } = plan;
  const tell = (at: number, title: string, isCached: boolean): void => {
    context.say(`${stageTitle(build, at, title)}${isCached ? ' (cached)' : ''}`);
  };
  const known = cache.result(resultKey);
  if (known) {
    tell(steps.length + 1, 'image', true);
    return { fingerprint: known.fingerprint, isNew: false };
  }
  const last = steps.findLastIndex(({ key }) => cache.step(key));
  const from = last < 0 ? undefined : cache.step(steps[last]?.key ?? '');
  tell(0, base.title, from !== undefined || cache.step(plan.baseKey) !== undefined);
  const image = from ? ofServer(context, from) : await provideBase(build);
  for (const [at, { title }] of steps.slice(0, last + 1).entries()) tell(at + 1, title, true);
  const { builder: wanted } = document;
  const pool = await builderPool(context, wanted.pool, signal);
  const network = await builderNetwork(context, wanted.network, signal);
  await using builder = await Builder.create(context, image, { ...wanted, pool, network, signal });
  const { metadata } = builder;
  const { architecture } = metadata;
  if (document.architecture !== undefined && document.architecture !== architecture)
    throw new LxdError(
      'invalid',
      `image.architecture: must be "${architecture}", which is that of what it is built from`,
    );
  const epoch = document.epoch ?? (metadata.creation_date > 0 ? metadata.creation_date : someEpoch);
  const fixed = { source_date_epoch: epoch, public: false };
  for (const [at, step] of steps.entries()) {
    if (at <= last) continue;
    tell(at + 1, step.title, false);
    try {
      await runStep(build, builder, step, epoch);
    } catch (error) {
      signal.throwIfAborted();
      const { code, message } = toLxdError(error);
      throw new LxdError(code, stageTitle(build, at + 1, message), { cause: error });
    }
    const properties = { ...withoutKeys(metadata.properties), [keyProperties.step]: step.key };
    await builder.publish({ ...fixed, properties, cached: true, compression_algorithm: stepCompression });
  }
  tell(steps.length + 1, 'image', false);
  const finished = await finishImage(builder, document, inputs, signal);
  const { description, expiry, exclude, compression } = document;
  const request = {
    ...fixed,
    public: options.public && options.keep,
    cached: !options.keep,
    compression_algorithm: compression,
    exclude: [...leftOut, ...exclude],
    properties: {
      ...withoutKeys(metadata.properties),
      ...document.properties,
      ...(description === undefined ? {} : { description }),
      [keyProperties.result]: resultKey,
    },
    ...(expiry === undefined ? {} : { expires_at: expiry }),
  };
  const made = await builder.publish(request, finished);
  if (made.isNew || !options.keep) return made;
  const path = apiPath('images', made.fingerprint);
  if (!(await context.client.get<Image>(path, { signal })).cached) return made;
  // One that was only made to be fetched, and would go.
  await context.change('DELETE', path);
  return await builder.publish(request, finished);
}
