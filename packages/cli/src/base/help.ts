import type { FlagSpecs } from './args.ts';
import type { Entry, LoadedCommand } from './command.ts';

export const globalFlags = {
  project: { kind: 'string', value: 'name', help: 'Project to work in' },
  quiet: { kind: 'boolean', short: 'q', help: "Don't tell about progress" },
  verbose: { kind: 'boolean', short: 'v', help: 'Tell every request made' },
  debug: { kind: 'boolean', help: 'Tell every request made, and where an error came from' },
  'force-local': { kind: 'boolean', help: 'Use the daemon of this machine, whatever the default remote is' },
  help: { kind: 'boolean', short: 'h', help: 'Show help' },
  version: { kind: 'boolean', help: 'Show the version' },
} as const satisfies FlagSpecs;

function flagLines(flags: FlagSpecs): string {
  const left = Object.entries(flags).map(([name, { kind, short, value }]) => {
    const shown =
      kind === 'optional' ? `[=${value ?? 'value'}]` : kind === 'boolean' ? '' : ` ${value ?? 'value'}`;
    return `  ${short ? `-${short}, ` : '    '}--${name}${shown}`;
  });
  const width = Math.max(...left.map((text) => text.length));
  return Object.values(flags)
    .map(
      ({ help, kind }, i) =>
        `${(left[i] ?? '').padEnd(width)}   ${help}${kind === 'list' ? ' (may be repeated)' : ''}\n`,
    )
    .join('');
}

export function commandHelp(entry: Entry, command: LoadedCommand): string {
  const { description, usage, examples = [], flags = {} } = command;
  const own = Object.keys(flags).length > 0;
  const parts = [
    `${description}\n`,
    `Usage:\n  lxd-ts ${[entry.path, usage, '[flags]'].filter(Boolean).join(' ')}\n`,
  ];
  if (entry.aliases?.length) parts.push(`Aliases:\n  ${entry.aliases.join(', ')}\n`);
  if (examples.length > 0) {
    parts.push(
      `Examples:\n${examples.map(([line, meaning]) => `  lxd-ts ${line}\n      ${meaning}\n`).join('')}`,
    );
  }
  if (own) parts.push(`Flags:\n${flagLines(flags)}`);
  parts.push(`Global flags:\n${flagLines(globalFlags)}`);
  return parts.join('\n');
}

/** What is below a group of commands (`''` is all of them), one line each. */
export function groupHelp(
  entries: readonly Entry[],
  group: string,
  groups: Readonly<Record<string, string>>,
): string {
  const prefix = group === '' ? '' : `${group} `;
  const below = new Map<string, string>();
  for (const { path, summary } of entries) {
    if (!path.startsWith(prefix)) continue;
    const [word = '', ...more] = path.slice(prefix.length).split(' ');
    if (!below.has(word)) below.set(word, more.length === 0 ? summary : (groups[prefix + word] ?? ''));
  }
  const names = [...below.keys()].sort();
  const width = Math.max(...names.map((name) => name.length));
  const list = names.map((name) => `  ${name.padEnd(width)}   ${below.get(name) ?? ''}\n`).join('');
  const title = group === '' ? 'lxd-ts runs and manages system containers.' : `${groups[group] ?? ''}.`;
  return [
    `${title}\n`,
    `Usage:\n  lxd-ts ${prefix}<command>\n`,
    `Commands:\n${list}`,
    `Global flags:\n${flagLines(globalFlags)}`,
    `"lxd-ts ${prefix}<command> --help" tells more about a command.\n`,
  ].join('\n');
}
