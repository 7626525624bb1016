import { readFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { LxdError } from '@lxd-ts/core';
import type { Image, Server } from '@lxd-ts/client';
import type { Context } from '../base/context.ts';
import { apiPath } from '../base/names.ts';
import { interruptible } from '../base/interruptible.ts';
import { checkTarget, saveDownload } from '../base/save-download.ts';
import { notice, textOutput, type Output } from '../base/output.ts';
import { imageFields } from '../commands/image/find-image.ts';
import { nameImage } from '../commands/image/upload.ts';
import { buildCache } from './build-cache.ts';
import { findBase } from './build-base.ts';
import type { BuildDocument } from './document/build-document.ts';
import { readDocument } from './document/read-document.ts';
import { planBuild } from './plan-build.ts';
import { planText } from './plan-text.ts';
import { performBuild, type Build } from './perform-build.ts';
import { readInputs } from './read-inputs.ts';

export interface BuildImageOptions {
  /** The document. */
  file: string;
  aliases: readonly string[];
  public: boolean;
  useCache: boolean;
  /** Where to put the image instead of keeping it on the server. */
  output: string | undefined;
  vars: Readonly<Record<string, string>>;
  dryRun: boolean;
}

const extensions = ['lxdts_reproducible_images', 'lxdts_instance_lease'];

async function checkServer({ client, remote }: Context, signal: AbortSignal): Promise<void> {
  const { api_extensions: known } = await client.get<Server>('/1.0', { signal });
  const missing = extensions.filter((name) => !known.includes(name));
  if (missing.length > 0)
    throw new LxdError(
      'unsupported',
      `The server "${remote}" cannot build: it lacks ${missing.join(' and ')}`,
    );
}

/** @throws LxdError `invalid` */
function epochIn(text: string | undefined): number | undefined {
  if (text === undefined || text === '') return undefined;
  if (/^\d{1,12}$/.test(text)) return Number(text);
  throw new LxdError('invalid', `SOURCE_DATE_EPOCH must be seconds since 1970, not "${text}"`);
}

async function load(
  { io }: Context,
  { file, vars }: BuildImageOptions,
): Promise<{ document: BuildDocument; directory: string }> {
  const text = await readFile(file, 'utf8').catch((error: unknown) => {
    const why =
      (error as NodeJS.ErrnoException).code === 'ENOENT' ? 'no such file' : (error as Error).message;
    throw new LxdError('not-found', `Cannot read "${file}": ${why}`, { cause: error });
  });
  const document = readDocument(text, file, vars);
  const epoch = document.epoch ?? epochIn(io.env['SOURCE_DATE_EPOCH']);
  return {
    document: { ...document, ...(epoch === undefined ? {} : { epoch }) },
    directory: dirname(resolve(file)),
  };
}

/** An image that is there already becomes as public as it is to be. */
async function publicise({ client }: Context, fingerprint: string, signal: AbortSignal): Promise<void> {
  const path = apiPath('images', fingerprint);
  const { metadata, etag } = await client.getWithEtag<Image>(path, { signal });
  if (metadata.public) return;
  const body = Object.fromEntries(imageFields.map((field) => [field, metadata[field]]));
  await client.change('PUT', path, { body: { ...body, public: true }, etag, signal });
}

async function build(context: Context, options: BuildImageOptions, signal: AbortSignal): Promise<Output> {
  const { document, directory } = await load(context, options);
  const inputs = await readInputs(document, directory);
  await checkServer(context, signal);
  const base = await findBase(context, document.from, inputs.keyring);
  const plan = planBuild(document, inputs, base.identity);
  const cache = await buildCache(context, options.useCache, signal);
  const todo: Build = { context, document, inputs, base, plan, cache, signal };
  if (options.dryRun) return textOutput(planText(todo));
  const { output } = options;
  if (output !== undefined) await checkTarget(output);
  const open = document.public || options.public;
  const { fingerprint, isNew } = await performBuild(todo, { public: open, keep: output === undefined });
  if (output !== undefined) {
    try {
      await saveDownload(context, `${apiPath('images', fingerprint)}/export`, output, {
        label: 'Writing the image',
        signal,
      });
    } finally {
      if (isNew) await context.client.change('DELETE', apiPath('images', fingerprint));
    }
    return notice(`Image with fingerprint ${fingerprint} written to ${output}`);
  }
  if (open && !isNew) await publicise(context, fingerprint, signal);
  await nameImage(context, fingerprint, [...new Set([...options.aliases, ...document.aliases])]);
  return notice(`Image built with fingerprint: ${fingerprint}`);
}

/** Builds an image as a document says. Interrupted or not, nothing is left but finished steps, which the next build uses. */
export const buildImage = (context: Context, options: BuildImageOptions): Promise<Output> =>
  interruptible(context.io, 'Interrupted; nothing is left but finished steps', (signal) =>
    build(context, options, signal),
  );
