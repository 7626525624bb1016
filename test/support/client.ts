import { spawn } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export interface Result {
  code: number | null;
  stdout: string;
  stderr: string;
}

export interface RunOptions {
  /** Sent to standard input, which then ends. Default: nothing. */
  input?: string | Buffer;
  /** Run in a pseudo-terminal; output and error then come as one, and `input` is typed after the first output. */
  tty?: boolean;
  environment?: Record<string, string>;
  timeoutMs?: number;
}

/** A command line client, with a configuration of its own, that speaks to one server. */
export type Client = (args: readonly string[], options?: RunOptions) => Promise<Result>;

const quote = (word: string): string => `'${word.replaceAll("'", `'\\''`)}'`;

/** Runs a program to its end; a run that takes too long is killed and has no code. */
export async function run(argv: readonly string[], options: RunOptions = {}): Promise<Result> {
  const [program = '', ...args] = options.tty
    ? ['script', '-qefc', argv.map(quote).join(' '), '/dev/null']
    : argv;
  const child = spawn(program, args, {
    stdio: ['pipe', 'pipe', 'pipe'],
    env: { ...process.env, NODE_EXTRA_CA_CERTS: undefined, TERM: 'xterm', ...options.environment },
    timeout: options.timeoutMs ?? 60_000,
    killSignal: 'SIGKILL',
  });
  const out: Buffer[] = [];
  const err: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => out.push(chunk));
  child.stderr.on('data', (chunk: Buffer) => err.push(chunk));
  // A program may end before it has read everything.
  child.stdin.on('error', () => undefined);
  if (options.tty) {
    // A pseudo-terminal whose input ends at once would send an end of file before the program listens.
    child.stdout.once('data', () => child.stdin.write(options.input ?? ''));
  } else child.stdin.end(options.input ?? '');
  const code = await new Promise<number | null>((done, fail) => {
    child.once('error', fail);
    child.once('close', done);
  });
  return { code, stdout: Buffer.concat(out).toString(), stderr: Buffer.concat(err).toString() };
}

/** The stock `lxc`, unmodified, as a user would run it who has never run it before. */
export function stockClient(serverDir: string, home: string): Client {
  mkdirSync(join(home, 'lxc'), { recursive: true });
  writeFileSync(join(home, 'lxc/config.yml'), 'default-remote: local\nremotes: {}\naliases: {}\n');
  return (args, options = {}) =>
    run(['lxc', ...args], {
      ...options,
      environment: { LXD_DIR: serverDir, LXD_CONF: join(home, 'lxc'), HOME: home, ...options.environment },
    });
}

/** Our own client. */
export function ownClient(program: string, serverDir: string, home: string): Client {
  mkdirSync(home, { recursive: true });
  return (args, options = {}) =>
    run([program, ...args], {
      ...options,
      environment: { LXD_TS_DIR: serverDir, HOME: home, ...options.environment },
    });
}
