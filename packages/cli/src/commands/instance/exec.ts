import { constants } from 'node:os';
import { LxdError } from '@lxd-ts/core';
import { exec, type ExecRequest } from '@lxd-ts/client';
import type { FlagSpecs, FlagValues } from '../../base/args.ts';
import { command } from '../../base/command.ts';
import type { Context } from '../../base/context.ts';
import { parseKeyValues } from '../../base/key-values.ts';
import type { Output } from '../../base/output.ts';
import { rawTerminal, terminalSize } from './terminal.ts';

export const execFlags = {
  cwd: { kind: 'string', value: 'directory', help: 'Directory to run in (default: the home of the user)' },
  'disable-stdin': { kind: 'boolean', short: 'n', help: 'Give the command an empty stdin' },
  env: { kind: 'list', value: 'key=value', help: 'Environment variable to set' },
  'force-interactive': { kind: 'boolean', short: 't', help: 'Run in a terminal' },
  'force-noninteractive': { kind: 'boolean', short: 'T', help: 'Run without a terminal' },
  group: { kind: 'number', value: 'gid', help: 'Group to run as (default 0)' },
  mode: {
    kind: 'string',
    value: 'auto|interactive|non-interactive',
    help: 'Whether to run in a terminal (default auto: if stdin and stdout are one)',
  },
  user: { kind: 'number', value: 'uid', help: 'User to run as (default 0)' },
} as const satisfies FlagSpecs;

type ExecFlags = FlagValues<typeof execFlags>;

/** Whether the command gets a terminal. */
export function wantsTerminal(flags: ExecFlags, bothAreTerminals: boolean): boolean {
  const forced = flags['force-interactive'];
  const forbidden = flags['force-noninteractive'];
  if (forced && forbidden) throw new LxdError('invalid', "You can't pass -t and -T at the same time");
  if (flags.mode !== undefined && (forced || forbidden)) {
    throw new LxdError('invalid', "You can't pass -t or -T at the same time as --mode");
  }
  switch (flags.mode ?? 'auto') {
    case 'interactive':
      return true;
    case 'non-interactive':
      return false;
    case 'auto':
      return forced || (!forbidden && bothAreTerminals && !flags['disable-stdin']);
    default:
      throw new LxdError(
        'invalid',
        `Invalid mode "${flags.mode ?? ''}": use auto, interactive or non-interactive`,
      );
  }
}

const forwarded = ['SIGTERM', 'SIGHUP', 'SIGINT', 'SIGQUIT', 'SIGUSR1', 'SIGUSR2', 'SIGCONT'] as const;

/** Runs a command in an instance with this terminal's streams; its exit status becomes ours. */
export async function execInteractively(
  context: Context,
  instance: string,
  words: readonly string[],
  flags: ExecFlags,
): Promise<Output> {
  const { io } = context;
  const interactive = wantsTerminal(flags, io.stdinIsTty && io.stdoutIsTty);
  const environment = parseKeyValues(flags.env);
  if (io.env['TERM']) environment['TERM'] ??= io.env['TERM'];
  const { width, height } = terminalSize(io);
  const request: ExecRequest = {
    command: words,
    environment,
    interactive,
    ...(interactive ? { width, height } : {}),
    ...(flags.cwd === undefined ? {} : { cwd: flags.cwd }),
    ...(flags.user === undefined ? {} : { user: flags.user }),
    ...(flags.group === undefined ? {} : { group: flags.group }),
  };
  const stdin = flags['disable-stdin'] ? undefined : io.stdin;
  const session = await exec(context.client, instance, request, {
    stdin,
    stdout: io.stdout,
    stderr: io.stderr,
  });
  using stack = new DisposableStack();
  if (interactive) {
    stack.use(rawTerminal(io));
    const resize = (): void => {
      const size = terminalSize(io);
      session.resize(size.width, size.height);
    };
    stack.defer(io.onSignal('SIGWINCH', resize));
  }
  for (const name of forwarded) {
    stack.defer(
      io.onSignal(name, () => {
        session.signal(constants.signals[name]);
      }),
    );
  }
  const { code, error } = await session.exit;
  return { kind: 'exit', code, ...(error === undefined ? {} : { error }) };
}

export default command({
  usage: '[<remote>:]<instance> [--] <command> [<argument>...]',
  arity: [2, Infinity],
  description: `Runs a command in an instance; its exit status becomes that of lxd-ts.
There is no shell between: for pipes, variables and wildcards run one yourself (sh -c '...').
Put -- before the command when it has flags of its own.`,
  examples: [
    ['exec c1 -- ls -l /', 'Run ls in c1'],
    ["exec c1 -- sh -c 'cat > /tmp/file' < file", 'Feed a file to a command'],
    ['exec c1 --user 1000 --cwd /home/me --env EDITOR=vi bash', 'As another user, elsewhere'],
  ],
  flags: execFlags,
  run: async (shell, [name, ...words], flags) =>
    execInteractively(...(await shell.require(name, 'instance')), words, flags),
});
