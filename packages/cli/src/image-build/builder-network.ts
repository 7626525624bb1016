import { randomInt } from 'node:crypto';
import { LxdError, toLxdError } from '@lxd-ts/core';
import type { Network, Profile } from '@lxd-ts/client';
import { apiPath } from '../base/names.ts';
import type { Context } from '../base/context.ts';

/** How a builder reaches the network: by an address that it is given from outside, since nothing inside asks for one. */
export interface BuilderNetwork {
  network: string;
  /** Free when it was looked for. */
  address: string;
  prefix: number;
  /** It also answers questions about names. */
  gateway: string;
}

const toNumber = (address: string): number =>
  address.split('.').reduce((sum, part) => sum * 256 + Number(part), 0);
const toAddress = (number: number): string =>
  [24, 16, 8, 0].map((shift) => Math.floor(number / 2 ** shift) % 256).join('.');

/** A free address of a network, at random: builders that look at the same time should not meet. Pure but for `random`. */
export function freeAddress(
  cidr: string,
  taken: ReadonlySet<string>,
  random: (below: number) => number = randomInt,
): { address: string; prefix: number; gateway: string } | undefined {
  const [, gateway = '', length = ''] = /^(\d+\.\d+\.\d+\.\d+)\/(\d+)$/.exec(cidr) ?? [];
  const prefix = Number(length);
  if (gateway === '' || prefix < 8 || prefix > 30) return undefined;
  const size = 2 ** (32 - prefix);
  const first = Math.floor(toNumber(gateway) / size) * size;
  const begin = random(size - 2);
  for (let at = 0; at < size - 2; at++) {
    const address = toAddress(first + 1 + ((begin + at) % (size - 2)));
    if (address !== gateway && !taken.has(address)) return { address, prefix, gateway };
  }
  return undefined;
}

/** The network that a container has by the default profile, else the first that is a bridge with IPv4. */
async function anyNetwork(context: Context, signal: AbortSignal): Promise<Network | undefined> {
  const [profile, networks] = await Promise.all([
    context.client.get<Profile>(apiPath('profiles', 'default'), { signal }),
    context.client.get<Network[]>('/1.0/networks', { query: { recursion: 1 }, signal }),
  ]);
  const usable = networks.filter(
    ({ managed, type, config }) => managed && type === 'bridge' && /\//.test(config['ipv4.address'] ?? ''),
  );
  const inProfile = Object.values(profile.devices).flatMap(({ type, network, parent }) =>
    type === 'nic' ? [network ?? parent] : [],
  );
  return usable.find(({ name }) => inProfile.includes(name)) ?? usable[0];
}

/** @param wanted a network's name, or `none` @returns undefined: there is none */
export async function builderNetwork(
  context: Context,
  wanted: string | undefined,
  signal: AbortSignal,
): Promise<BuilderNetwork | undefined> {
  if (wanted === 'none') return undefined;
  const network =
    wanted === undefined
      ? await anyNetwork(context, signal)
      : await context.client.get<Network>(apiPath('networks', wanted), { signal }).catch((error: unknown) => {
          if (toLxdError(error).code !== 'not-found') throw error;
          throw new LxdError('invalid', `builder.network: the server has no network "${wanted}"`);
        });
  if (!network) return undefined;
  const leases = await context.client.get<{ address: string }[]>(
    apiPath('networks', network.name, 'leases'),
    { signal },
  );
  const free = freeAddress(
    network.config['ipv4.address'] ?? '',
    new Set(leases.map(({ address }) => address)),
  );
  if (free) return { network: network.name, ...free };
  const needed = 'it must be a bridge of the server with an IPv4 address and room for one more';
  throw new LxdError('invalid', `builder.network: "${network.name}" cannot be used: ${needed}`);
}
