import type { Host } from '@lxd-ts/host';
import type { WaitOptions } from '../driver.ts';

/** As LXD tells it, tools, library and kernel; or what is missing. */
export async function lvmVersion(
  host: Host,
  { signal }: WaitOptions,
): Promise<{ version: string } | { missing: string }> {
  const found = await host.run(['lvm', 'version'], { signal, allowFailure: true }).catch(() => undefined);
  if (found === undefined) return { missing: 'Required tool "lvm" is missing' };
  // Without the kernel's part it names no driver.
  const versions = [/LVM version: +(.*)/, /Library version: +(.*)/, /Driver version: +(.*)/].map(
    (line) => line.exec(found.stdout)?.[1],
  );
  if (versions.includes(undefined))
    return { missing: 'The kernel has no device mapper, which the storage driver "lvm" needs' };
  return { version: versions.join(' / ') };
}
