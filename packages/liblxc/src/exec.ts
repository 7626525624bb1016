import { spawn, type ChildProcess } from 'node:child_process';
import { closeSync } from 'node:fs';
import { Socket } from 'node:net';
import { Duplex, Readable, type Writable } from 'node:stream';
import { LxdError } from '@lxd-ts/core';
import type { Addon } from './addon.ts';
import { Control } from './control.ts';
import type { ConsoleSession, ExecProcess, ExecRequest } from './liblxc.ts';

const SIGKILL = 9;

/** How often a pipe is looked at that something left behind by an ended command keeps open. */
const drainMs = 20;

export interface Runtime {
  addon: Addon;
  /** Path of the helper. */
  program: string;
  lxcpath: string;
}

/** Counts, then texts that end in NUL: read_request of native/runtime.c. */
export function encodeRequest(
  argv: readonly string[],
  environment: Readonly<Record<string, string>>,
): Buffer {
  const variables = Object.entries(environment).map(([name, value]) => `${name}=${value}`);
  const texts = [...argv, ...variables];
  if (argv.length === 0) throw new LxdError('invalid', '"command" is empty; give at least a program to run');
  const bad = texts.find((text) => text.includes('\0'));
  if (bad !== undefined) throw new LxdError('invalid', 'A command or variable holds a NUL character');
  const body = Buffer.from(texts.map((text) => `${text}\0`).join(''));
  const head = Buffer.alloc(12);
  head.writeUInt32LE(body.length, 0);
  head.writeUInt32LE(argv.length, 4);
  head.writeUInt32LE(variables.length, 8);
  return Buffer.concat([head, body]);
}

function spawnHelper(
  runtime: Runtime,
  args: readonly string[],
  stdio: readonly (number | 'pipe')[],
): ChildProcess {
  // Nothing of the daemon's environment is for the helper, least of all what a user of exec asks for.
  return spawn(runtime.program, args, {
    stdio: [...stdio, 'pipe'],
    env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin' },
    detached: true,
  });
}

/** Ends a reader once the command is over and its pipe is empty, though some child of it may still hold the other end. */
function endWhenDrained(addon: Addon, socket: Socket, fd: number): Readable {
  const stream = socket as Readable;
  const look = () => {
    if (stream.readableEnded || stream.destroyed) return;
    if (stream.readableLength === 0 && addon.pending(fd) <= 0) stream.push(null);
    else setTimeout(look, drainMs).unref();
  };
  setTimeout(look, drainMs).unref();
  return stream;
}

async function withPipes(runtime: Runtime, args: string[], request: Buffer): Promise<ExecProcess> {
  const { addon } = runtime;
  const [stdin, stdout, stderr] = [addon.makePipe(), addon.makePipe(), addon.makePipe()];
  const child = spawnHelper(runtime, args, [stdin[0], stdout[1], stderr[1]]);
  for (const fd of [stdin[0], stdout[1], stderr[1]]) closeSync(fd);
  const pipes = {
    stdin: new Socket({ fd: stdin[1], readable: false, writable: true }) as Writable,
    stdout: new Socket({ fd: stdout[0], readable: true, writable: false }),
    stderr: new Socket({ fd: stderr[0], readable: true, writable: false }),
  };
  pipes.stdin.on('error', () => undefined); // a command may end without reading its input
  const control = new Control(child);
  control.write(request);
  const close = () => {
    for (const stream of Object.values(pipes)) stream.destroy();
  };
  let pid: number;
  try {
    pid = await control.attached;
  } catch (error) {
    close();
    throw error;
  }
  const exited = control.exited.finally(() => {
    endWhenDrained(addon, pipes.stdout, stdout[0]);
    endWhenDrained(addon, pipes.stderr, stderr[0]);
  });
  return session(control, exited, pid, { pipes }, close);
}

async function withTerminal(runtime: Runtime, args: string[], request: Buffer): Promise<ExecProcess> {
  const child = spawnHelper(runtime, args, ['pipe', 'pipe', 'pipe']);
  const terminal = terminalOf(child);
  const control = new Control(child);
  control.write(request);
  const close = () => void terminal.destroy();
  try {
    return session(control, control.exited, await control.attached, { terminal }, close);
  } catch (error) {
    close();
    throw error;
  }
}

/** The helper's stdin and stdout as one stream: each side ends by itself, and what was read before the end is not lost. */
function terminalOf(child: ChildProcess): Duplex {
  const [input, output] = [child.stdin, child.stdout];
  if (!input || !output) throw new LxdError('internal', 'the runtime helper has no terminal');
  input.on('error', () => undefined);
  child.stderr?.resume();
  const terminal = new Duplex({
    allowHalfOpen: true,
    read: () => void output.resume(),
    write: (data: Buffer, _encoding, done) => {
      // A terminal whose command has ended swallows what is typed.
      if (input.destroyed || input.write(data)) done();
      else input.once('drain', done).once('close', done);
    },
    final: (done) => {
      input.end();
      done();
    },
    destroy: (error, done) => {
      input.destroy();
      output.destroy();
      done(error);
    },
  });
  output.on('data', (data: Buffer) => {
    if (!terminal.push(data)) output.pause();
  });
  output.once('end', () => terminal.push(null));
  output.on('error', () => terminal.push(null));
  output.pause();
  return terminal;
}

function session(
  control: Control,
  exited: Promise<number>,
  pid: number,
  streams: Pick<ExecProcess, 'pipes' | 'terminal'>,
  close: () => void,
): ExecProcess {
  exited.catch(() => undefined);
  streams.terminal?.on('error', () => undefined);
  const signal = (number: number) => control.write(`signal ${number}\n`);
  return {
    pid,
    ...streams,
    exited,
    signal,
    resize: (columns, rows) => control.write(`resize ${columns} ${rows}\n`),
    [Symbol.asyncDispose]: async () => {
      signal(SIGKILL);
      await exited.catch(() => undefined);
      close();
    },
  };
}

export function exec(runtime: Runtime, request: ExecRequest, signal: AbortSignal): Promise<ExecProcess> {
  signal.throwIfAborted();
  const { name, uid, gid, cwd, terminal } = request;
  const size = terminal ?? { columns: 0, rows: 0 };
  const args = [
    'exec',
    runtime.lxcpath,
    name,
    ...[uid, gid].map(String),
    cwd,
    ...[size.columns, size.rows].map(String),
  ];
  const encoded = encodeRequest(request.argv, request.environment);
  return terminal ? withTerminal(runtime, args, encoded) : withPipes(runtime, args, encoded);
}

export async function openConsole(
  runtime: Runtime,
  name: string,
  size: { columns: number; rows: number },
  signal: AbortSignal,
): Promise<ConsoleSession> {
  signal.throwIfAborted();
  const args = ['console', runtime.lxcpath, name, String(size.columns), String(size.rows)];
  const child = spawnHelper(runtime, args, ['pipe', 'pipe', 'pipe']);
  const terminal = terminalOf(child);
  terminal.on('error', () => undefined);
  const control = new Control(child);
  try {
    await control.attached;
  } catch (error) {
    terminal.destroy();
    throw error;
  }
  return {
    terminal,
    resize: (columns, rows) => control.write(`resize ${columns} ${rows}\n`),
    [Symbol.asyncDispose]: async () => {
      const closed = new Promise((resolve) => child.once('close', resolve));
      // The helper does nothing but copy: ending it frees the console.
      if (child.exitCode === null && child.kill('SIGTERM')) await closed;
      terminal.destroy();
    },
  };
}
