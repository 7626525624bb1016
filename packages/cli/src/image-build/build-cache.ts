import type { Image } from '@lxd-ts/client';
import type { Context } from '../base/context.ts';
import { keyProperties } from './finish-image.ts';

/** What a server has of earlier builds. */
export interface BuildCache {
  /** The image that a step left, by the step's key. */
  step(key: string): Image | undefined;
  /** The image that a whole build left. */
  result(key: string): Image | undefined;
}

const none: BuildCache = { step: () => undefined, result: () => undefined };

/** @param use false: nothing is known, and all is built again */
export async function buildCache(context: Context, use: boolean, signal: AbortSignal): Promise<BuildCache> {
  if (!use) return none;
  const images = await context.client.get<Image[]>('/1.0/images', { query: { recursion: 1 }, signal });
  // One that was built again without looking is the better one.
  images.sort((one, other) => Date.parse(other.uploaded_at) - Date.parse(one.uploaded_at));
  return {
    step: (key) => images.find(({ cached, properties }) => cached && properties[keyProperties.step] === key),
    result: (key) =>
      images.find(({ cached, properties }) => !cached && properties[keyProperties.result] === key),
  };
}
