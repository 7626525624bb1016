import type { Readable, Writable } from 'node:stream';
import type { WebSocket } from 'ws';
import { LxdError } from '@lxd-ts/core';
import type { Client } from './client.ts';
import { operationPath, settled } from './operation.ts';
import { pipeFrom, pipeTo } from './socket-streams.ts';
import type { Operation } from './types.ts';
import { openWebSocket } from './websocket.ts';

export interface ExecRequest {
  command: readonly string[];
  environment?: Readonly<Record<string, string>>;
  cwd?: string;
  user?: number;
  group?: number;
  /** With a terminal; stderr then comes with stdout. */
  interactive: boolean;
  width?: number;
  height?: number;
}

export interface ExecStreams {
  /** Undefined: the command reads an end of file. */
  stdin?: Readable | undefined;
  stdout: Writable;
  stderr: Writable;
}

export interface TerminalControl {
  resize(width: number, height: number): void;
  /** @param signal as the kernel numbers it */
  signal(signal: number): void;
}

export interface ExitStatus {
  code: number;
  /** Why the command could not be run; `code` then is what a shell would give (127: not found). */
  error?: string;
}

export interface ExecSession extends TerminalControl {
  /** How the command ended, once every byte of output was written. */
  exit: Promise<ExitStatus>;
}

export function terminalControl(socket: WebSocket): TerminalControl {
  socket.resume();
  const send = (message: unknown): void => {
    if (socket.readyState === socket.OPEN) socket.send(JSON.stringify(message));
  };
  return {
    resize: (width, height) => {
      send({ command: 'window-resize', args: { width: String(width), height: String(height) } });
    },
    signal: (signal) => {
      send({ command: 'signal', signal });
    },
  };
}

/** The websockets' secrets of an operation, by file descriptor. */
export function fdsOf(operation: Operation): Record<string, string> {
  const fds = operation.metadata?.['fds'];
  if (typeof fds !== 'object' || fds === null)
    throw new LxdError('internal', 'The server offered no websockets');
  return fds as Record<string, string>;
}

/** Opens the named websocket of an operation. */
export function openFd(
  client: Client,
  operation: Operation,
  fd: string,
  signal?: AbortSignal,
): Promise<WebSocket> {
  const secret = fdsOf(operation)[fd];
  if (!secret) throw new LxdError('internal', `The server offered no websocket "${fd}"`);
  return openWebSocket(client, `${operationPath(operation)}/websocket?secret=${secret}`, { signal });
}

/** Runs a command in an instance with its streams over websockets. */
export async function exec(
  client: Client,
  instance: string,
  request: ExecRequest,
  streams: ExecStreams,
  options: { signal?: AbortSignal } = {},
): Promise<ExecSession> {
  const { signal } = options;
  const operation = await client.change('POST', `/1.0/instances/${encodeURIComponent(instance)}/exec`, {
    body: { ...request, 'wait-for-websocket': true },
    signal,
  });
  if (!operation) throw new LxdError('internal', 'The server started no operation for exec');
  // Asked for now, so that the answer is on its way when the command ends.
  const ended = client.get<Operation>(`${operationPath(operation)}/wait`, { signal });
  ended.catch(() => undefined);
  const open = (fd: string): Promise<WebSocket> => openFd(client, operation, fd, signal);
  const exit = async (written: Promise<unknown>): Promise<ExitStatus> => {
    const status = exitStatus(await ended);
    await written;
    return status;
  };
  if (request.interactive) {
    const [control, terminal] = await Promise.all([open('control'), open('0')]);
    if (streams.stdin) pipeFrom(streams.stdin, terminal, { endOfFile: false });
    return { ...terminalControl(control), exit: exit(pipeTo(terminal, streams.stdout)) };
  }
  const [control, stdin, stdout, stderr] = await Promise.all([
    open('control'),
    open('0'),
    open('1'),
    open('2'),
  ]);
  pipeFrom(streams.stdin, stdin, { endOfFile: true });
  const written = Promise.all([pipeTo(stdout, streams.stdout), pipeTo(stderr, streams.stderr)]);
  return { ...terminalControl(control), exit: exit(written) };
}

function exitStatus(operation: Operation): ExitStatus {
  const code = operation.metadata?.['return'];
  // A command that was not found has both a status and an error.
  if (typeof code === 'number' && code >= 0) return operation.err ? { code, error: operation.err } : { code };
  settled(operation);
  throw new LxdError('internal', 'The server told no exit status');
}
