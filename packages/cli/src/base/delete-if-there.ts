import { LxdError } from '@lxd-ts/core';
import type { Context } from './context.ts';

/** For what replaces a thing of the same name. */
export async function deleteIfThere(
  context: Context,
  path: string,
  query: { target?: string | undefined } = {},
): Promise<void> {
  try {
    await context.client.get(path, { query });
    await context.change('DELETE', path, { query });
  } catch (error) {
    if (!(error instanceof LxdError) || error.code !== 'not-found') throw error;
  }
}
