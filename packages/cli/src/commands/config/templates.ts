import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import type { Context } from '../../base/context.ts';
import { apiPath } from '../../base/names.ts';
import type { Shell } from '../../base/shell.ts';

/** The templates of one instance. */
export interface Templates {
  context: Context;
  instance: string;
  path: string;
}

export async function templatesOf(shell: Shell, instance: string | undefined): Promise<Templates> {
  const [context, name] = await shell.require(instance, 'instance');
  return { context, instance: name, path: apiPath('instances', name, 'metadata', 'templates') };
}

export const readTemplate = async ({ context, path }: Templates, name: string): Promise<string> =>
  text(await context.client.download(path, { query: { path: name } }));

export async function writeTemplate(
  { context, path }: Templates,
  name: string,
  content: string,
): Promise<void> {
  const headers = {
    'content-type': 'application/octet-stream',
    'content-length': Buffer.byteLength(content),
  };
  await context.client.change('POST', path, {
    query: { path: name },
    headers,
    stream: Readable.from([Buffer.from(content)]),
  });
}
