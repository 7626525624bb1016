import type { InstanceFull } from '@lxd-ts/client';
import { command } from '../../base/command.ts';
import { formatFlag, parseFormat } from '../../base/output.ts';
import { naturalCompare } from '../../format/units.ts';
import { parseColumns } from './list-columns.ts';
import { parseFilter } from './list-filters.ts';

const defaultColumns = 'ns46tS';
const fastColumns = 'nsacPt';

export default command({
  usage: '[<remote>:] [<filter>...]',
  arity: [0, Infinity],
  description: `Lists instances. Filters are the beginning of a name, a regular expression for names, key=value for a
configuration key (each part of the key may be shortened, the value may be a regular expression), or one of
type=, status=, architecture=, location=, ipv4=, ipv6= with values separated by commas. All must match.

Columns, as letters or as [config:|devices:]key[:title][:width]:
  n name           s state         t type             a architecture   d description
  4 IPv4           6 IPv6          b storage pool     P profiles       e project
  c created        l last used     f image (short)    F image (long)   L location
  S snapshots      D disk usage    m memory           M memory (%)     u CPU seconds
  N processes      p pid`,
  examples: [
    ['list web', 'Instances whose name begins with "web"'],
    ['list status=running ipv4=10.0.0.0/8', 'Running ones with an address in that network'],
    ['list -c ns4,user.note:NOTE -f csv', 'Chosen columns as CSV'],
  ],
  flags: {
    'all-projects': { kind: 'boolean', help: 'Instances of all projects' },
    columns: { kind: 'string', short: 'c', value: 'columns', help: `Columns (default "${defaultColumns}")` },
    fast: { kind: 'boolean', help: `Only what costs the server little (columns ${fastColumns})` },
    format: formatFlag,
  },
  async run(shell, args, flags) {
    const format = parseFormat(flags.format);
    const [{ client }, words] = await shell.remoteFirst(args);
    const filters = words.map(parseFilter);
    const chosen = flags.columns ?? (flags.fast ? fastColumns : defaultColumns);
    const columns = parseColumns((flags['all-projects'] && !flags.columns ? 'e' : '') + chosen);
    const wholeRecords = format === 'json' || format === 'yaml';
    const full = (wholeRecords && !flags.fast) || [...columns, ...filters].some((part) => part.full);
    const all = await client.get<InstanceFull[]>('/1.0/instances', {
      query: { recursion: full ? 2 : 1, 'all-projects': flags['all-projects'] ? 'true' : undefined },
    });
    const instances = all
      .filter((instance) => filters.every(({ matches }) => matches(instance)))
      .sort((a, b) => naturalCompare(a.name, b.name));
    const clustered = all.some(({ location }) => location !== '' && location !== 'none');
    if (clustered && flags.columns === undefined) columns.push(...parseColumns('L'));
    return {
      kind: 'list',
      format,
      header: columns.map(({ title }) => title),
      rows: wholeRecords ? [] : instances.map((instance) => columns.map(({ cell }) => cell(instance))),
      records: instances,
    };
  },
});
