import { LxdError, toLxdError } from '@lxd-ts/core';
import { parseArgs, type ParsedArgs } from './base/args.ts';
import type { Entry, LoadedCommand } from './base/command.ts';
import type { Io } from './base/io.ts';
import { globalFlags } from './base/help.ts';
import { print } from './base/output.ts';
import { Shell } from './base/shell.ts';
import { groups, registry } from './registry.ts';
import { version } from './version.ts';

interface Found {
  entry?: Entry;
  /** The command words that were understood. */
  group: string;
  /** What follows them. Global flags that stood before or between are in front. */
  rest: string[];
}

const answersTo = (entry: Entry, words: string): boolean => {
  if (entry.path === words) return true;
  const parent = entry.path.slice(0, entry.path.lastIndexOf(' ') + 1);
  return entry.aliases?.some((alias) => parent + alias === words) ?? false;
};

/** Finds the command that the words name. */
export function findCommand(argv: readonly string[]): Found {
  const flags: string[] = [];
  let words = '';
  for (let at = 0; at < argv.length; at++) {
    const word = argv[at] as string;
    if (word.startsWith('-')) {
      flags.push(word);
      if (word === '--project') flags.push(...argv.slice(++at, at + 1));
      continue;
    }
    const longer = words === '' ? word : `${words} ${word}`;
    const entry = registry.find((candidate) => answersTo(candidate, longer));
    if (entry) return { entry, group: longer, rest: [...flags, ...argv.slice(at + 1)] };
    if (!(longer in groups)) return { group: words, rest: [...flags, ...argv.slice(at)] };
    words = longer;
  }
  return { group: words, rest: flags };
}

async function showGroup(found: Found, io: Io): Promise<number> {
  const { positionals, values } = parseArgs(found.rest, globalFlags);
  if (values['version']) {
    io.stdout.write(`${version}\n`);
    return 0;
  }
  const [unknown] = positionals;
  if (unknown !== undefined) {
    throw new LxdError('invalid', `unknown command "${unknown}" for "${`lxd-ts ${found.group}`.trim()}"`);
  }
  const { groupHelp } = await import('./base/help.ts');
  io.stdout.write(groupHelp(registry, found.group, groups));
  return 0;
}

async function usageError(entry: Entry, command: LoadedCommand, io: Io): Promise<never> {
  const { commandHelp } = await import('./base/help.ts');
  io.stderr.write(`${commandHelp(entry, command)}\n`);
  throw new LxdError('invalid', 'Invalid number of arguments');
}

async function runCommand(entry: Entry, rest: readonly string[], io: Io): Promise<number> {
  const command = (await entry.load()).default;
  const { positionals, values }: ParsedArgs = parseArgs(rest, { ...globalFlags, ...command.flags });
  if (values['help']) {
    const { commandHelp } = await import('./base/help.ts');
    io.stdout.write(commandHelp(entry, command));
    return 0;
  }
  const [least, most] = command.arity;
  if (positionals.length < least || positionals.length > most) await usageError(entry, command, io);
  const shell = new Shell(
    io,
    {
      project: values['project'] as string | undefined,
      quiet: Boolean(values['quiet']),
      verbose: Boolean(values['verbose']),
      debug: Boolean(values['debug']),
      forceLocal: Boolean(values['force-local']),
    },
    { registry, groups },
  );
  try {
    return await print(await command.run(shell, positionals, values as never), io, shell.globals.quiet);
  } finally {
    await shell.close();
  }
}

/** Runs one command line and returns its exit status. Errors go to stderr, and are status 1. */
export async function run(argv: readonly string[], io: Io): Promise<number> {
  try {
    const found = findCommand(argv);
    return found.entry ? await runCommand(found.entry, found.rest, io) : await showGroup(found, io);
  } catch (error) {
    const { message, stack, cause } = toLxdError(error);
    io.stderr.write(`Error: ${message}\n`);
    if (argv.includes('--debug'))
      io.stderr.write(`${stack ?? ''}\n${cause instanceof Error ? (cause.stack ?? '') : ''}\n`);
    return 1;
  }
}
