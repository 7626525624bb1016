import { once } from 'node:events';
import type { Readable, Writable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ExecRequest } from '../liblxc.ts';

/** What a program of the fake sees. */
export interface FakeProcess {
  request: ExecRequest;
  argv: readonly string[];
  stdin: Readable;
  stdout: Writable;
  stderr: Writable;
  /** Aborted when a signal ends the process. */
  ended: AbortSignal;
  /** Of its terminal, or undefined. */
  size: () => { columns: number; rows: number } | undefined;
  /** Ends the container's init, and gives it another one. */
  reboot: () => void;
}

/** Resolves with the exit status. */
export type FakeProgram = (process: FakeProcess) => number | Promise<number>;

async function cat({ stdin, stdout, ended }: FakeProcess): Promise<number> {
  for await (const chunk of stdin as AsyncIterable<Buffer>) {
    if (!stdout.write(chunk)) await once(stdout, 'drain', { signal: ended });
  }
  return 0;
}

/** As much of a shell as tests need: commands joined by `;`, `>&2`, `exit N` and variables. */
async function sh(process: FakeProcess): Promise<number> {
  const [, option, script = ''] = process.argv;
  if (option !== '-c') return cat({ ...process, stdout: process.stderr });
  let status = 0;
  for (const command of script.split(';')) {
    const toStderr = command.includes('>&2');
    const text = command.replace('>&2', '');
    const variable = (_match: string, name: string) => process.request.environment[name] ?? '';
    const argv = text
      .replace(/\$(\w+)/g, variable)
      .trim()
      .split(/\s+/);
    if (argv[0] === 'exit') return Number(argv[1] ?? status);
    status = await runProgram(fakePrograms, {
      ...process,
      argv,
      stdout: toStderr ? process.stderr : process.stdout,
    });
  }
  return status;
}

export const fakePrograms: Readonly<Record<string, FakeProgram>> = {
  true: () => 0,
  false: () => 1,
  cat,
  sh,
  echo: ({ argv, stdout }) => {
    stdout.write(`${argv.slice(1).join(' ')}\n`);
    return 0;
  },
  env: ({ request, stdout }) => {
    for (const [name, value] of Object.entries(request.environment)) stdout.write(`${name}=${value}\n`);
    return 0;
  },
  id: ({ request, argv, stdout }) => {
    stdout.write(`${argv[1] === '-u' ? request.uid : request.gid}\n`);
    return 0;
  },
  pwd: ({ request, stdout }) => {
    stdout.write(`${request.cwd}\n`);
    return 0;
  },
  reboot: ({ reboot }) => {
    reboot();
    return 0;
  },
  sleep: async ({ argv, ended }) => {
    await sleep(Number(argv[1]) * 1000, undefined, { signal: ended, ref: false });
    return 0;
  },
  stty: ({ size, stdout, stderr }) => {
    const now = size();
    if (now) stdout.write(`${now.rows} ${now.columns}\n`);
    else stderr.write('stty: standard input: Not a tty\n');
    return now ? 0 : 1;
  },
  tty: ({ request, stdout }) => {
    stdout.write(request.terminal ? '/dev/pts/0\n' : 'not a tty\n');
    return request.terminal ? 0 : 1;
  },
  yes: async ({ stdout, ended }) => {
    while (!ended.aborted)
      if (!stdout.write('y\n'.repeat(512))) await once(stdout, 'drain', { signal: ended });
    return 0;
  },
};

/** 127 for what is not there, as of a shell. */
export async function runProgram(
  programs: Readonly<Record<string, FakeProgram>>,
  process: FakeProcess,
): Promise<number> {
  const name = process.argv[0]?.split('/').pop() ?? '';
  const program = Object.hasOwn(programs, name) ? programs[name] : undefined;
  return program ? await program(process) : 127;
}
