import { Readable } from 'node:stream';
import { toLxdError } from '@lxd-ts/core';
import { deleteFile, pullFile, pushFile } from '@lxd-ts/client';
import { apiPath } from '../base/names.ts';
import type { Builder, BuilderMetadata, TemplateEntry } from './builder.ts';
import { cloudInitSeed, seedDirectory } from './cloud-init-seed.ts';
import type { BuildDocument, BuildTemplate } from './document/build-document.ts';
import type { BuildInputs } from './read-inputs.ts';

/** The names of our properties; those of what an image was built from are not its own. */
export const keyProperties = { step: 'build.step', result: 'build.key' } as const;

const own: readonly string[] = Object.values(keyProperties);

export const withoutKeys = (properties: Readonly<Record<string, string>>): Record<string, string> =>
  Object.fromEntries(Object.entries(properties).filter(([name]) => !own.includes(name)));

const fileName = (path: string): string =>
  `build${path.replaceAll(/[^A-Za-z0-9.]+/g, '-')}`.slice(0, 200).concat('.tpl');

/** The templates of an image: those of its base, without or with cloud-init's seed, and over them its own. Pure. */
export function composeTemplates(
  before: BuilderMetadata['templates'],
  document: Pick<BuildDocument, 'templates' | 'cloudInit'>,
  contents: readonly string[],
): { templates: Record<string, TemplateEntry>; files: Record<string, string> } {
  const { cloudInit } = document;
  const kept = Object.entries(before ?? {}).filter(
    ([path]) => cloudInit === undefined || !path.startsWith(seedDirectory),
  );
  const templates: Record<string, TemplateEntry> = Object.fromEntries(kept);
  const files: Record<string, string> = {};
  const add = ({ path, when, createOnly, properties }: BuildTemplate, content: string): void => {
    // Two paths may come to the same name.
    let name = fileName(path);
    while (Object.hasOwn(files, name)) name = `another-${name}`;
    files[name] = content;
    templates[path] = { when, create_only: createOnly, template: name, properties };
  };
  if (cloudInit === true) for (const one of cloudInitSeed) add(one, one.content);
  for (const [at, one] of document.templates.entries()) add(one, contents[at] ?? '');
  return { templates, files };
}

/** systemd takes a machine without this file for one that starts for the first time, and sets everything up anew. */
async function emptyMachineId({ client, name }: Builder, signal: AbortSignal): Promise<void> {
  const path = '/etc/machine-id';
  try {
    const found = await pullFile(client, name, path, signal);
    found.body?.destroy();
    if (found.type !== 'file') return;
  } catch (error) {
    if (toLxdError(error).code === 'not-found') return;
    throw error;
  }
  await deleteFile(client, name, path);
  const body = Readable.from([Buffer.alloc(0)]);
  await pushFile(client, name, path, { type: 'file', uid: 0, gid: 0, mode: 0o444, body }, signal);
}

/** Puts what belongs to the image, and not to its files, to a builder at rest. @returns its metadata */
export async function finishImage(
  builder: Builder,
  document: BuildDocument,
  inputs: BuildInputs,
  signal: AbortSignal,
): Promise<BuilderMetadata> {
  await emptyMachineId(builder, signal);
  const { client, name, metadata } = builder;
  const { templates, files } = composeTemplates(metadata.templates, document, inputs.templates);
  const path = `${apiPath('instances', name)}/metadata/templates`;
  for (const [file, content] of Object.entries(files)) {
    await client.change('POST', path, {
      query: { path: file },
      stream: Readable.from([Buffer.from(content)]),
      headers: { 'content-type': 'application/octet-stream' },
      signal,
    });
  }
  const used = Object.values(templates).map(({ template }) => template);
  for (const file of await client.get<string[]>(path, { signal })) {
    if (!used.includes(file)) await client.change('DELETE', path, { query: { path: file }, signal });
  }
  return { ...metadata, templates };
}
