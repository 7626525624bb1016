import type { FlagSpec, FlagSpecs, FlagValues } from './args.ts';
import type { Shell } from './shell.ts';
import type { Output } from './output.ts';

/** One `lxd-ts` command. Its handler returns data; the shell prints it. */
export interface Command<F extends FlagSpecs = FlagSpecs> {
  /** What follows the command's name in its usage line, e.g. `<instance> <key>=<value>...`. */
  usage: string;
  /** How many arguments it takes. */
  arity: readonly [min: number, max: number];
  description: string;
  /** Command line (without `lxd-ts`) and what it does. */
  examples?: readonly (readonly [line: string, meaning: string])[];
  flags?: F;
  run(shell: Shell, args: readonly string[], flags: FlagValues<F>): Promise<Output | undefined>;
}

/** A command as the shell keeps it: flags were checked against its own specs before `run` is called. */
export interface LoadedCommand extends Omit<Command, 'run'> {
  run(shell: Shell, args: readonly string[], flags: never): Promise<Output | undefined>;
}

// eslint-disable-next-line @typescript-eslint/no-generated-empty-object-type -- a command without flags
export const command = <const F extends FlagSpecs = Record<never, FlagSpec>>(
  definition: Command<F>,
): LoadedCommand => definition;

/** All commands, and what the words above them stand for. */
export interface Catalogue {
  registry: readonly Entry[];
  groups: Readonly<Record<string, string>>;
}

/** A line of the registry: enough to find a command and to list it; the rest is loaded when it is used. */
export interface Entry {
  /** e.g. `config device add` */
  path: string;
  summary: string;
  /** Other last words for the same command, e.g. `ls`. */
  aliases?: readonly string[];
  load: () => Promise<{ default: LoadedCommand }>;
}
