import type { NetworkInterface } from './liblxc.ts';

const IFF_UP = 0x1;
const IFF_BROADCAST = 0x2;
const IFF_LOOPBACK = 0x8;
const IFF_POINTOPOINT = 0x10;

function kindOf(flags: number): NetworkInterface['kind'] {
  if (flags & IFF_LOOPBACK) return 'loopback';
  if (flags & IFF_POINTOPOINT) return 'point-to-point';
  return flags & IFF_BROADCAST ? 'broadcast' : 'unknown';
}

/** The lines that native/netns.c writes. */
export function parseInterfaces(text: string): NetworkInterface[] {
  const found = new Map<string, NetworkInterface>();
  for (const line of text.split('\n')) {
    const [what, name = '', ...rest] = line.split(' ');
    if (what === 'link') {
      const [flags, mtu] = [Number(rest[0]), Number(rest[1])];
      found.set(name, {
        name,
        up: (flags & IFF_UP) !== 0,
        kind: kindOf(flags),
        mtu,
        hwaddr: rest[2] ?? '',
        addresses: [],
      });
    } else if (what === 'inet' || what === 'inet6') {
      found.get(name)?.addresses.push({ family: what, address: rest[0] ?? '', prefix: Number(rest[1]) });
    }
  }
  return [...found.values()];
}
