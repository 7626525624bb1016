import { LxdError } from '@lxd-ts/core';
import type { Image, ImageAlias } from '@lxd-ts/client';
import type { Context } from '../../base/context.ts';
import { apiPath } from '../../base/names.ts';

export const imageFields = ['auto_update', 'properties', 'public', 'expires_at', 'profiles'] as const;

/** The path of an image named by an alias, a fingerprint or the start of one. */
export async function imagePath(context: Context, name: string): Promise<string> {
  try {
    const { target } = await context.client.get<ImageAlias>(apiPath('images', 'aliases', name));
    return apiPath('images', target);
  } catch (error) {
    if (!(error instanceof LxdError) || error.code !== 'not-found') throw error;
    return apiPath('images', name);
  }
}

export const findImage = async (context: Context, name: string): Promise<Image> =>
  context.client.get<Image>(await imagePath(context, name));
