import { BlockList } from 'node:net';
import { LxdError } from '@lxd-ts/core';
import type { InstanceFull } from '@lxd-ts/client';

export interface Filter {
  matches: (instance: InstanceFull) => boolean;
  /** Needs the instance's state. */
  full?: boolean;
}

function pattern(text: string): RegExp {
  try {
    return new RegExp(`^(?:${text})$`);
  } catch {
    throw new LxdError('invalid', `Invalid regular expression "${text}"`);
  }
}

/** `s.priv` stands for `security.privileged` as long as nothing else could be meant. */
export function keyMatches(short: string, key: string): boolean {
  const wanted = short.split('.');
  const parts = key.split('.');
  return wanted.length === parts.length && wanted.every((part, i) => parts[i]?.startsWith(part));
}

function addressFilter(family: 'inet' | 'inet6', list: readonly string[]): Filter {
  const block = new BlockList();
  const kind = family === 'inet' ? 'ipv4' : 'ipv6';
  for (const item of list) {
    const [address = '', prefix] = item.split('/');
    try {
      block.addSubnet(address, prefix === undefined ? (kind === 'ipv4' ? 32 : 128) : Number(prefix), kind);
    } catch (error) {
      throw new LxdError('invalid', `Invalid address or network "${item}"`, { cause: error });
    }
  }
  return {
    full: true,
    matches: ({ state }) =>
      Object.values(state?.network ?? {}).some(({ addresses }) =>
        (addresses ?? []).some((one) => one.family === family && block.check(one.address, kind)),
      ),
  };
}

const oneOf = (list: readonly string[], value: string): boolean =>
  list.some((item) => item.toLowerCase() === value.toLowerCase());

function shorthand(key: string, value: string): Filter | undefined {
  const list = value.split(',');
  switch (key) {
    case 'type':
      return { matches: ({ type }) => oneOf(list, type) };
    case 'status':
      return { matches: ({ status }) => oneOf(list, status) };
    case 'architecture':
      return { matches: ({ architecture }) => oneOf(list, architecture) };
    case 'location':
      return { matches: ({ location }) => oneOf(list, location) };
    case 'ipv4':
      return addressFilter('inet', list);
    case 'ipv6':
      return addressFilter('inet6', list);
    default:
      return undefined;
  }
}

/** A name's beginning, a regular expression for names, a shorthand (`status=running`) or a key (`user.note=x.*`). */
export function parseFilter(text: string): Filter {
  const equals = text.indexOf('=');
  if (equals < 0) {
    const whole = pattern(text);
    return { matches: ({ name }) => name.startsWith(text) || whole.test(name) };
  }
  const key = text.slice(0, equals);
  const value = text.slice(equals + 1);
  const known = shorthand(key, value);
  if (known) return known;
  const wanted = pattern(value);
  return {
    matches: ({ expanded_config: config }) =>
      Object.entries(config).some(
        ([name, actual]) => keyMatches(key, name) && (actual === value || wanted.test(actual)),
      ),
  };
}
