import { LxdError, type Config, type ConfigSchema, findKey } from '@lxd-ts/core';
import type { RequestContext } from '../../http/route.ts';
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

/** Whether members' names are shown: not for a machine that is alone. */
export const isClustered = ({ records, server }: Pick<Services, 'records' | 'server'>): boolean =>
  records.get('members', server)?.value.address !== '' || records.list('members').length > 1;

/** The member that `?target=` means. @throws LxdError `not-found` */
export function targetOf(services: Services, target: string | null): string | undefined {
  if (!target) return undefined;
  if (!nodes(services).includes(target)) throw new LxdError('not-found', 'Cluster member not found');
  return target;
}

/** The member that a request is about: the one it names, else the one whose server was asked. @throws LxdError `not-found` */
export const memberAsked = (
  services: Services,
  { query, caller }: Pick<RequestContext, 'query' | 'caller'>,
): string => targetOf(services, query.get('target')) ?? caller.via ?? services.server;

/** LXD's `locations`: the members that have a part of it. */
export const locations = (
  services: Services,
  { memberConfig }: { memberConfig: Record<string, Config> },
): string[] => (isClustered(services) ? Object.keys(memberConfig) : ['none']);

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

/** The only member, or undefined in a cluster: its own options are shown and changed with the others. */
export const aloneOn = (services: Services): string | undefined =>
  isClustered(services) ? undefined : services.server;

/** What a GET shows: the member's own options too where one is asked for, or there is but one. */
export function shownConfig(
  services: Services,
  record: { config: Config; memberConfig: Record<string, Config> },
  target: string | undefined,
): Config {
  const member = target ?? aloneOn(services);
  const own = member === undefined ? {} : (record.memberConfig[member] ?? {});
  const shown = Object.entries({ ...record.config, ...own }).filter(([key]) => !key.startsWith('volatile.'));
  return Object.fromEntries(shown);
}

/** `config` without the keys that are unset. */
export const setOnly = (config: Config): Config =>
  Object.fromEntries(Object.entries(config).filter(([, value]) => value !== ''));
