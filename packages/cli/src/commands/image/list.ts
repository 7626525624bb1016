import type { Image } from '@lxd-ts/client';
import { chooseColumns } from '../../base/columns.ts';
import { command } from '../../base/command.ts';
import { formatFlag, parseFormat } from '../../base/output.ts';
import { imageSize, longTime, sortRows } from '../../format/units.ts';

interface Column {
  title: string;
  cell: (image: Image) => string;
}

const aliasNames = ({ aliases }: Image): string[] => (aliases ?? []).map(({ name }) => name);

function shortestAlias(image: Image): string {
  const names = aliasNames(image).sort((a, b) => a.length - b.length);
  const [first = ''] = names;
  return names.length > 1 ? `${first} (${names.length - 1} more)` : first;
}

const columns: Readonly<Record<string, Column>> = {
  l: { title: 'ALIAS', cell: shortestAlias },
  L: { title: 'ALIASES', cell: (image) => aliasNames(image).join('\n') },
  f: { title: 'FINGERPRINT', cell: ({ fingerprint }) => fingerprint.slice(0, 12) },
  F: { title: 'FINGERPRINT', cell: ({ fingerprint }) => fingerprint },
  p: { title: 'PUBLIC', cell: (image) => (image.public ? 'yes' : 'no') },
  d: { title: 'DESCRIPTION', cell: ({ properties }) => properties['description'] ?? '' },
  a: { title: 'ARCHITECTURE', cell: ({ architecture }) => architecture },
  t: { title: 'TYPE', cell: ({ type }) => type.toUpperCase() },
  s: { title: 'SIZE', cell: ({ size }) => imageSize(size) },
  u: { title: 'UPLOAD DATE', cell: ({ uploaded_at: uploaded }) => longTime(uploaded) },
};

/** Part of an alias, the start of a fingerprint, or `property=value`. */
export function imageMatches(image: Image, filter: string): boolean {
  const equals = filter.indexOf('=');
  if (equals > 0) {
    const key = filter.slice(0, equals);
    const value = filter.slice(equals + 1);
    if (key === 'type') return image.type === value;
    return image.properties[key] === value;
  }
  return image.fingerprint.startsWith(filter) || aliasNames(image).some((name) => name.includes(filter));
}

export default command({
  usage: '[<remote>:] [<filter>...]',
  arity: [0, Infinity],
  description: `Lists images. A filter is part of an alias, the start of a fingerprint, or property=value.

Columns: l shortest alias, L all aliases, f fingerprint (short), F fingerprint (long), p public, d description,
a architecture, t type, s size, u upload date.`,
  examples: [['image list debian -c lfs', 'Alias, fingerprint and size of images named like that']],
  flags: {
    columns: { kind: 'string', short: 'c', value: 'columns', help: 'Columns (default "lfpdatsu")' },
    format: formatFlag,
  },
  async run(shell, args, flags) {
    const format = parseFormat(flags.format);
    const chosen = chooseColumns(columns, flags.columns ?? 'lfpdatsu');
    const [{ client }, filters] = await shell.remoteFirst(args, 'images');
    const all = await client.get<Image[]>('/1.0/images', { query: { recursion: 1 } });
    const images = all.filter((image) => filters.every((filter) => imageMatches(image, filter)));
    return {
      kind: 'list',
      format,
      header: chosen.map(({ title }) => title),
      rows: sortRows(images.map((image) => chosen.map(({ cell }) => cell(image)))),
      records: images,
    };
  },
});
