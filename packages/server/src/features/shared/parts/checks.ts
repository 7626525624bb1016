import { findKey, LxdError, toLxdError, type Config, type ConfigSchema } from '@lxd-ts/core';

/** What LXD answers by 500 though the request is wrong. */
export async function asInternal<T>(work: () => T | Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const { code, message } = toLxdError(error);
    throw code === 'invalid' ? new LxdError('internal', message, { cause: error }) : error;
  }
}

const isOwn = (schema: ConfigSchema, key: string): boolean =>
  key.startsWith('volatile.') || findKey(schema, key)?.memberSpecific === true;

/** The first key that is not each member's own, and does not just repeat what holds for all. */
export const sharedKey = (schema: ConfigSchema, config: Config, same: Config = {}): string | undefined =>
  Object.keys(config).find((key) => !isOwn(schema, key) && config[key] !== (same[key] ?? ''));

/** The first key that is each member's own. */
export const ownKey = (schema: ConfigSchema, config: Config): string | undefined =>
  Object.keys(config).find((key) => isOwn(schema, key));
