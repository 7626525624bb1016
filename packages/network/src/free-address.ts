import { createHash } from 'node:crypto';
import { addressValue, v4Text } from './subnet.ts';

/**
 * An IPv4 address of these ranges that nobody has; undefined when there is none.
 * @param seed the same seed begins to look at the same place
 */
export function freeAddress(
  ranges: readonly (readonly [first: string, last: string])[],
  used: ReadonlySet<string>,
  seed: string,
): string | undefined {
  const sizes = ranges.map(([first, last]) => Number(addressValue(last) - addressValue(first)) + 1);
  const total = sizes.reduce((sum, size) => sum + Math.max(0, size), 0);
  const start = total > 0 ? createHash('sha256').update(seed).digest().readUInt32BE(0) % total : 0;
  // One more than there are taken is enough.
  const most = Math.min(total, used.size + 1);
  for (let tried = 0; tried < most; tried++) {
    let at = (start + tried) % total;
    for (const [index, [first]] of ranges.entries()) {
      const size = Math.max(0, sizes[index] ?? 0);
      if (at < size) {
        const address = v4Text(addressValue(first) + BigInt(at));
        if (!used.has(address)) return address;
        break;
      }
      at -= size;
    }
  }
  return undefined;
}
