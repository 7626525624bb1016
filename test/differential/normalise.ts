/**
 * What differs by nature, between any two servers or any two runs:
 * ids, secrets, dates, directories, addresses, host side names, numbers of processes, usage counters, sizes of archives
 * whose compression is the server's own, order of lists that have none, and the white space that tables are filled with.
 */
const texts: readonly [RegExp, string][] = [
  [/[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g, '<uuid>'],
  [/exec_<uuid>/g, '<exec>'],
  [/\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)/g, '<date>'],
  [/\b20\d\d\/\d\d\/\d\d \d\d:\d\d( UTC)?/g, '<date>'],
  [/\b[A-Z][a-z]{2} \d{1,2}, 20\d\d at \d{1,2}:\d\d[ap]m \([^)]+\)/g, '<date>'],
  [/\b([0-9a-f]{2}:){5}[0-9a-f]{2}\b/g, '<mac>'],
  [/\b(fd|fe80)[0-9a-f]{0,2}:[0-9a-f:]+/g, '<ipv6>'],
  [/\bveth[0-9a-f]{6,}\b/g, '<veth>'],
  [/"Hostid":\d+/g, '"Hostid":<base>'],
  [/"Maprange":\d+/g, '"Maprange":<range>'],
  [/ETag doesn't match: [0-9a-f]{64}/g, "ETag doesn't match: <etag>"],
  // A join token.
  [/\beyJ[A-Za-z0-9+/=]{60,}/g, '<token>'],
  // A lease; the bridge is .1, and ranges begin and end with round numbers.
  [/\b10\.88\.7\.(?!1\b|10\b|99\b)\d+\b/g, '<lease>'],
  [/Server version: \S+/g, 'Server version: <version>'],
  [/\b8000\.[0-9a-f]{12}\b/g, '<bridge id>'],
  [/\b\d+(\.\d+)?([kKMG]i?)?B\b/g, '<size>'],
  [/PID: \d+/gi, 'PID: <pid>'],
  [/ \(\d+(\.\d+)?[kMG]?B\/s\)/g, ''],
  // The stock client says so only where the operation failed before it was listened to.
  [/[^\n]*Try `lxc info --show-log [^\n]*\n?/g, ''],
  // A progress line overwrites itself.
  [/[^\n]*\r/g, ''],
  [/(Packets (received|sent)|Processes|CPU usage \(in seconds\)): \d+/g, '$1: <count>'],
  [/\n{2,}/g, '\n'],
  [/ +/g, ' '],
  [/-{3,}/g, '---'],
];

/** Keys whose values are counted, not set. */
const counted =
  /^(pid|usage|usage_peak|swap_usage|swap_usage_peak|bytes_(received|sent)|packets_(received|sent)|processes|uptime|server_pid|used|total|last_used_at|size|secret|certificate|certificate_fingerprint|server_version|0|1|2|control)$/;

function text(value: string, dir: string): string {
  return texts.reduce((done, [pattern, by]) => done.replace(pattern, by), value.replaceAll(dir, '<dir>'));
}

/** Lists have no order that matters here: what is in them is compared by name, else by value. */
function asRecord(list: readonly unknown[]): Record<string, unknown> {
  return Object.fromEntries(
    list.map((one, i) => {
      if (typeof one !== 'object' || one === null) return [String(one), one];
      const { name, Name, fingerprint, hwaddr, address } = one as Record<string, unknown>;
      const key = name ?? Name ?? fingerprint ?? hwaddr ?? address;
      return [typeof key === 'string' ? key : `#${i}`, one];
    }),
  );
}

export function normalise(value: unknown, side: { dir: string }): unknown {
  if (typeof value === 'string') return text(value, side.dir);
  if (Array.isArray(value)) return { '[]': asRecord(value.map((one) => normalise(one, side))) };
  if (typeof value !== 'object' || value === null) return value;
  // How far it is, is told of what takes its time.
  if (Object.keys(value).join() === 'create_backup_progress') return null;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, field]) => field !== undefined)
      .map(([name, field]) => [
        text(name, side.dir),
        counted.test(name) && typeof field !== 'object' ? `<${typeof field}>` : normalise(field, side),
      ]),
  );
}

/** Both answers as flat lists of fields; what is only in one, or not equal, is told by its path. */
export function differencesOf(ours: unknown, theirs: unknown, path = ''): Map<string, [unknown, unknown]> {
  const found = new Map<string, [unknown, unknown]>();
  const both = [ours, theirs].every((one) => typeof one === 'object' && one !== null);
  if (!both) {
    if (ours !== theirs) found.set(path, [ours, theirs]);
    return found;
  }
  const [a, b] = [ours as Record<string, unknown>, theirs as Record<string, unknown>];
  for (const name of new Set([...Object.keys(a), ...Object.keys(b)])) {
    const inner = differencesOf(a[name], b[name], path ? `${path}/${name}` : name);
    for (const [at, pair] of inner) found.set(at, pair);
  }
  return found;
}
