import { createHash } from 'node:crypto';
import { isIP } from 'node:net';

/** An address with its prefix, as a bridge has it. */
export interface Cidr {
  family: 4 | 6;
  address: string;
  prefix: number;
  /** The address as a number. */
  value: bigint;
}

function v6Value(address: string): bigint {
  const [head = '', tail] = address.split('::');
  const groups = (text: string) => (text === '' ? [] : text.split(':'));
  const [left, right] = [groups(head), tail === undefined ? [] : groups(tail)];
  const middle = tail === undefined ? [] : Array<string>(8 - left.length - right.length).fill('0');
  return [...left, ...middle, ...right].reduce(
    (sum, group) => (sum << 16n) | BigInt(parseInt(group, 16)),
    0n,
  );
}

const v4Value = (address: string): bigint =>
  address.split('.').reduce((sum, part) => (sum << 8n) | BigInt(part), 0n);

export const addressValue = (address: string): bigint =>
  isIP(address) === 4 ? v4Value(address) : v6Value(address);

export const v4Text = (value: bigint): string =>
  [24n, 16n, 8n, 0n].map((shift) => (value >> shift) & 255n).join('.');

/** Undefined when it is not one. */
export function parseCidr(text: string): Cidr | undefined {
  const [address = '', length = ''] = text.split('/');
  const family = isIP(address);
  const prefix = Number(length);
  if (family === 0 || !/^\d+$/.test(length) || prefix > (family === 4 ? 32 : 128)) return undefined;
  return { family: family as 4 | 6, address, prefix, value: addressValue(address) };
}

const bits = ({ family }: Cidr): number => (family === 4 ? 32 : 128);

/** The subnet's first address, as a number. */
export const networkOf = (cidr: Cidr): bigint => {
  const host = BigInt(bits(cidr) - cidr.prefix);
  return (cidr.value >> host) << host;
};

/** `10.1.2.0/24` of `10.1.2.1/24`; for IPv6 the address may be any of the subnet, which nft and ip accept. */
export const subnetText = (cidr: Cidr): string =>
  cidr.family === 4 ? `${v4Text(networkOf(cidr))}/${cidr.prefix}` : `${cidr.address}/${cidr.prefix}`;

export function overlaps(a: Cidr, b: Cidr): boolean {
  if (a.family !== b.family) return false;
  const host = BigInt(bits(a) - Math.min(a.prefix, b.prefix));
  return a.value >> host === b.value >> host;
}

/** Whether an address is of the subnet, and neither its first nor its last. */
export function contains(cidr: Cidr, address: string): boolean {
  if (isIP(address) !== cidr.family) return false;
  const value = addressValue(address);
  const first = networkOf(cidr);
  return value > first && value < first + (1n << BigInt(bits(cidr) - cidr.prefix)) - 1n;
}

/** All addresses DHCP may hand out when no ranges are given: the subnet without its first, its last and the bridge's own. */
export function defaultRange(cidr: Cidr): [first: string, last: string] {
  const first = networkOf(cidr);
  const last = first + (1n << BigInt(32 - cidr.prefix)) - 1n;
  const low = first + 1n === cidr.value ? first + 2n : first + 1n;
  const high = last - 1n === cidr.value ? last - 2n : last - 1n;
  return [v4Text(low), v4Text(high)];
}

/** A number that is the same for the same words and looks like chance otherwise. */
const digest = (...words: string[]): Buffer => createHash('sha256').update(words.join('\0')).digest();

/** A private /24 that overlaps nothing in use. @param seed the same seed tries the same subnets in the same order */
export function freeV4(seed: string, used: readonly Cidr[]): string | undefined {
  for (let i = 0; i < 1000; i++) {
    const bytes = digest(seed, String(i));
    const candidate = parseCidr(`10.${bytes[0] ?? 0}.${bytes[1] ?? 0}.1/24`);
    if (candidate && !used.some((other) => overlaps(candidate, other))) return `${candidate.address}/24`;
  }
  return undefined;
}

/** A unique local /64. */
export function freeV6(seed: string, used: readonly Cidr[]): string | undefined {
  for (let i = 0; i < 1000; i++) {
    const bytes = digest(seed, '6', String(i));
    // As the kernel writes it: no zeros in front, and no group of nothing but zeros.
    const groups = [0, 2, 4].map((at) => (bytes.readUInt16BE(at) || 1).toString(16));
    const candidate = parseCidr(`fd42:${groups.join(':')}::1/64`);
    if (candidate && !used.some((other) => overlaps(candidate, other))) return `${candidate.address}/64`;
  }
  return undefined;
}

/** A MAC address of LXD's range. */
export function stableHwaddr(seed: string): string {
  const hex = digest(seed, 'hwaddr').toString('hex');
  return `00:16:3e:${hex.slice(0, 2)}:${hex.slice(2, 4)}:${hex.slice(4, 6)}`;
}
