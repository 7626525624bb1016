import { BlockList, isIP } from 'node:net';

type Family = 4 | 6;

const items = (value: string): string[] => value.split(',').map((item) => item.trim());

/** A list as one option. */
export const listOf = (value: string | undefined): string[] =>
  (value ?? '').split(',').flatMap((item) => item.trim() || []);

const each = (check: (item: string) => string | undefined) => (value: string) => {
  for (const item of items(value)) {
    const wrong = check(item);
    if (wrong !== undefined) return `Item "${item}": ${wrong}`;
  }
  return undefined;
};

export const addressError = (family: Family) => (value: string) =>
  isIP(value) === family ? undefined : `Not an IPv${family} address "${value}"`;

/** Whether no bit is set behind the prefix. */
function isNetwork(address: string, prefix: number, family: Family): boolean {
  const kind = family === 4 ? 'ipv4' : 'ipv6';
  const own = new BlockList();
  own.addSubnet(address, prefix, kind);
  // Of a network the address is the first: what comes one before is not in it.
  const bits = toBits(address, family);
  return !bits.slice(prefix).includes('1') && own.check(address, kind);
}

function toBits(address: string, family: Family): string {
  if (family === 4)
    return address
      .split('.')
      .map((part) => Number(part).toString(2).padStart(8, '0'))
      .join('');
  const text = new URL(`http://[${address}]`).hostname.slice(1, -1);
  const [head = '', tail] = text.split('::');
  const groups = (part: string) => (part === '' ? [] : part.split(':'));
  const [first, last] = [groups(head), groups(tail ?? '')];
  const gap = tail === undefined ? [] : Array.from({ length: 8 - first.length - last.length }, () => '0');
  return [...first, ...gap, ...last]
    .map((group) => parseInt(group, 16).toString(2).padStart(16, '0'))
    .join('');
}

export const networkError = (family: Family) => (value: string) => {
  const [address = '', prefix = ''] = value.split('/');
  const most = family === 4 ? 32 : 128;
  if (isIP(address) === 0 || !/^\d{1,3}$/.test(prefix) || Number(prefix) > (isIP(address) === 4 ? 32 : 128))
    return `invalid CIDR address: ${value}`;
  return isIP(address) === family && Number(prefix) <= most && isNetwork(address, Number(prefix), family)
    ? undefined
    : `Not an IPv${family} network address "${value}"`;
};

export const addressesError = (family: Family) => each(addressError(family));
export const networksError = (family: Family) => each(networkError(family));
