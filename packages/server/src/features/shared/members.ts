import { LxdError, type Config, type ConfigSchema, findKey } from '@lxd-ts/core';
import type { Services } from '../../services.ts';

/** For what is done on members once begun, whether or not the caller stays. */
export const effectTimeoutMs = 600_000;

/** Members that run instances. */
export const nodes = (services: Services): string[] =>
  services.records
    .list('members')
    .map(({ value }) => value)
    .filter(({ roles }) => roles.includes('node'))
    .map(({ name }) => name);

/** All of them, when all can be reached. @throws LxdError `unavailable` */
export function reachableNodes(services: Services): string[] {
  const online = services.agents.online();
  const all = nodes(services);
  const missing = all.find((name) => !online.includes(name));
  if (missing !== undefined) throw new LxdError('unavailable', `Cluster member "${missing}" is offline`);
  return all;
}

/** LXD's `locations`: no names where there is but one member. */
export const locations = (services: Services): string[] =>
  services.records.list('members').length > 1 ? nodes(services) : ['none'];

/** Parts a configuration into what holds everywhere and what holds on one member. */
export function partConfig(schema: ConfigSchema, config: Config): { shared: Config; own: Config } {
  const isOwn = ([key]: [string, string]) =>
    key.startsWith('volatile.') || findKey(schema, key)?.memberSpecific === true;
  const entries = Object.entries(config);
  return {
    shared: Object.fromEntries(entries.filter((entry) => !isOwn(entry))),
    own: Object.fromEntries(entries.filter(isOwn)),
  };
}

/** What a GET shows: the member's own options too where one is asked for, or there is but one. */
export function shownConfig(
  services: Services,
  record: { config: Config; memberConfig: Record<string, Config> },
  target: string | null,
): Config {
  const all = services.records.list('members');
  const member = target ?? (all.length <= 1 ? (all[0]?.value.name ?? services.server) : undefined);
  const own = member === undefined ? {} : (record.memberConfig[member] ?? {});
  const shown = Object.entries({ ...record.config, ...own }).filter(([key]) => !key.startsWith('volatile.'));
  return Object.fromEntries(shown);
}

/** `config` without the keys that are unset. */
export const setOnly = (config: Config): Config =>
  Object.fromEntries(Object.entries(config).filter(([, value]) => value !== ''));
