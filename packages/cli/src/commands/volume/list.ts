import type { StorageVolume } from '@lxd-ts/client';
import { chooseColumns } from '../../base/columns.ts';
import { command } from '../../base/command.ts';
import type { Context } from '../../base/context.ts';
import { parseKeyValues } from '../../base/key-values.ts';
import { apiPath } from '../../base/names.ts';
import { formatFlag, parseFormat } from '../../base/output.ts';
import { binarySize, naturalCompare } from '../../format/units.ts';
import { volumePath } from './volume-name.ts';

/** `key=value` as the API's filters have it. */
function filterOf(filters: readonly string[]): string | undefined {
  if (filters.length === 0) return undefined;
  return Object.entries(parseKeyValues(filters))
    .map(([key, value]) => `${key} eq ${/\s/.test(value) ? JSON.stringify(value) : value}`)
    .join(' and ');
}

interface Column {
  title: string;
  cell: (volume: StorageVolume, usage: string) => string;
}

const columns: Readonly<Record<string, Column>> = {
  t: { title: 'TYPE', cell: ({ name, type }) => (name.includes('/') ? `${type} (snapshot)` : type) },
  n: { title: 'NAME', cell: ({ name }) => name },
  d: { title: 'DESCRIPTION', cell: ({ description }) => description },
  c: { title: 'CONTENT-TYPE', cell: ({ content_type: content }) => content },
  u: { title: 'USED BY', cell: ({ used_by: users }) => String(users?.length ?? 0) },
  L: { title: 'LOCATION', cell: ({ location }) => location },
  U: { title: 'USAGE', cell: (_volume, usage) => usage },
};

/** So many volumes are asked at a time what is in them. */
const together = 8;

/** What is in each volume; empty for snapshots and where the pool cannot tell. */
async function usages(
  { client }: Context,
  pool: string,
  volumes: readonly StorageVolume[],
): Promise<string[]> {
  const found = volumes.map(() => '');
  const left = [...volumes.entries()];
  const next = async (): Promise<void> => {
    for (let one = left.shift(); one; one = left.shift()) {
      const [at, { type, name, location }] = one;
      if (name.includes('/')) continue;
      const query = location === '' || location === 'none' ? {} : { target: location };
      const state = await client
        .get<{ usage: { used?: number } }>(`${volumePath(pool, { type, name })}/state`, { query })
        .catch(() => undefined);
      if (state?.usage.used !== undefined) found[at] = binarySize(state.usage.used);
    }
  };
  await Promise.all(Array.from({ length: together }, next));
  return found;
}

export default command({
  usage: '[<remote>:]<pool> [<filter>...]',
  arity: [1, Infinity],
  description: `Lists the volumes of a storage pool: those of instances and images too.

Columns: t type, n name, d description, c content type, u used by, L location (in a cluster), U current usage.`,
  examples: [
    ['storage volume list default type=custom', 'Only volumes of their own'],
    ['storage volume list default -c nU', 'How much is in each'],
  ],
  flags: {
    columns: {
      kind: 'string',
      short: 'c',
      value: 'columns',
      help: 'Columns (default "tndcu", in a cluster "tndcuL")',
    },
    format: formatFlag,
    target: { kind: 'string', value: 'member', help: 'Cluster member' },
  },
  async run(shell, [arg, ...filters], flags) {
    const format = parseFormat(flags.format);
    const asked = flags.columns;
    const chosen = chooseColumns(columns, asked ?? 'tndcu');
    const [context, name] = await shell.require(arg, 'storage pool');
    const volumes = await context.client.get<StorageVolume[]>(apiPath('storage-pools', name, 'volumes'), {
      query: { recursion: 1, target: flags.target, filter: filterOf(filters) },
    });
    const clustered = volumes.some(({ location }) => location !== '' && location !== 'none');
    const shown = asked === undefined && clustered ? chooseColumns(columns, 'tndcuL') : chosen;
    const sorted = volumes.toSorted((a, b) =>
      a.type < b.type ? -1 : a.type > b.type ? 1 : naturalCompare(a.name, b.name),
    );
    const usage = asked?.includes('U') ? await usages(context, name, sorted) : [];
    return {
      kind: 'list',
      format,
      header: shown.map(({ title }) => title),
      rows: sorted.map((volume, at) => shown.map(({ cell }) => cell(volume, usage[at] ?? ''))),
      records: volumes,
    };
  },
});
