import { createWriteStream } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { finished, pipeline } from 'node:stream/promises';
import { LxdError, projectPrefixed, type InstanceSpec } from '@lxd-ts/core';
import type { ExecProcess } from '@lxd-ts/liblxc';
import type { CallOptions, ExecCommand, ExecSession, TerminalSession } from '@lxd-ts/rpc';
import type { AgentContext } from './context.ts';
import { checkedLogName } from './logs.ts';
import { instancePaths } from './instance/paths.ts';

/** Output into the instance's log directory; over when both files are complete. */
async function record(
  context: AgentContext,
  spec: InstanceSpec,
  process: ExecProcess,
  files: { stdout: string; stderr: string },
): Promise<ExecSession> {
  const { logs } = instancePaths(context.dir, spec);
  const pipes = process.pipes;
  if (!pipes) throw new LxdError('invalid', 'record-output is not possible with a terminal');
  await mkdir(logs, { recursive: true, mode: 0o700 });
  pipes.stdin.end();
  const toFile = (stream: NodeJS.ReadableStream, name: string) =>
    pipeline(stream, createWriteStream(join(logs, checkedLogName(name)), { mode: 0o600 }));
  const written = Promise.all([toFile(pipes.stdout, files.stdout), toFile(pipes.stderr, files.stderr)]);
  written.catch(() => undefined); // told through `exited`
  return {
    exited: process.exited.then(async (status) => {
      await written;
      return status;
    }),
    signal: (signal) => {
      process.signal(signal);
    },
    resize: () => undefined,
    [Symbol.asyncDispose]: () => process[Symbol.asyncDispose](),
  };
}

export async function exec(
  context: AgentContext,
  spec: InstanceSpec,
  command: ExecCommand,
  options: CallOptions,
): Promise<ExecSession> {
  const process = await context.liblxc.exec(
    {
      name: projectPrefixed(spec.project, spec.name),
      argv: command.command,
      environment: command.environment,
      uid: command.user,
      gid: command.group,
      cwd: command.cwd,
      ...(command.terminal ? { terminal: command.terminal } : {}),
    },
    options,
  );
  if (command.record) return record(context, spec, process, command.record);
  return process;
}

export async function openConsole(
  context: AgentContext,
  spec: InstanceSpec,
  size: { columns: number; rows: number },
  options: CallOptions,
): Promise<TerminalSession> {
  const session = await context.liblxc.console(projectPrefixed(spec.project, spec.name), size, options);
  // A console ends with its container; nobody may be left waiting on it.
  finished(session.terminal).catch(() => undefined);
  return session;
}
