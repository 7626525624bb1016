import { LxdError, type Config } from '@lxd-ts/core';
import type { OperationView, RunningOperation } from '@lxd-ts/operations';
import type { ExecCommand, ExecSession } from '@lxd-ts/rpc';
import type { DescribedRequest } from '../descriptions/described-operations.ts';
import { findInstance, instanceUrl, memberOf, statusOf, type InstancesContext } from './context.ts';
import { expandIn } from './expand.ts';
import type { InstanceExecPost } from './requests.ts';
import { onCommands, pumpIn, pumpOut, pumpTerminal, resizeOf } from './socket-stream.ts';
import { Sockets } from './sockets.ts';
import { instanceSpec } from './spec.ts';

const SIGKILL = 9;
const path = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/** What LXD puts there, the instance's own `environment.*`, then the request's. */
function environmentOf(config: Config, body: InstanceExecPost): Config {
  const own = Object.entries(config)
    .filter(([key]) => key.startsWith('environment.'))
    .map(([key, value]) => [key.slice('environment.'.length), value] as const);
  const root = (body.user ?? 0) === 0 ? { HOME: '/root', USER: 'root' } : {};
  return { PATH: path, LANG: 'C.UTF-8', ...root, ...Object.fromEntries(own), ...body.environment };
}

/** @throws LxdError `invalid` unless it runs */
function running({ services }: InstancesContext, project: string, name: string): void {
  const status = statusOf(services, project, name);
  if (status === 'Frozen') throw new LxdError('invalid', 'Instance is frozen');
  if (status !== 'Running') throw new LxdError('invalid', 'Instance is not running');
}

/** 126 and 127 mean that the command could not be run, whoever says so. */
function outcome(
  operation: RunningOperation,
  code: number,
  more: Record<string, unknown>,
): Record<string, unknown> {
  const result = { ...more, return: code };
  if (code !== 126 && code !== 127) return result;
  operation.update(result);
  throw new LxdError('invalid', code === 126 ? 'Command not executable' : 'Command not found');
}

interface Exec {
  context: InstancesContext;
  project: string;
  name: string;
  command: ExecCommand;
}

function open(
  { context: { services }, project, name, command }: Exec,
  signal: AbortSignal,
): Promise<ExecSession> {
  const { value } = findInstance(services, project, name);
  const member = memberOf(services, project, name);
  return services.agents.get(member).exec(instanceSpec(services, value, member), command, { signal });
}

/** No sockets: output is kept in files of the instance's log directory, or dropped. */
async function runAlone(
  exec: Exec,
  record: boolean,
  operation: RunningOperation,
): Promise<Record<string, unknown>> {
  const files = { stdout: `exec_${operation.id}.stdout`, stderr: `exec_${operation.id}.stderr` };
  const command = record ? { ...exec.command, record: files } : exec.command;
  await using session = await open({ ...exec, command }, operation.signal);
  session.pipes?.stdin.end();
  session.pipes?.stdout.resume();
  session.pipes?.stderr.resume();
  const code = await session.exited;
  const logs = `/1.0/instances/${exec.name}/logs`;
  return outcome(
    operation,
    code,
    record ? { output: { '1': `${logs}/${files.stdout}`, '2': `${logs}/${files.stderr}` } } : {},
  );
}

/** Between the client's sockets and the command. Losing the control socket ends the command. */
async function runConnected(
  exec: Exec,
  sockets: Sockets,
  operation: RunningOperation,
): Promise<Record<string, unknown>> {
  const interactive = exec.command.terminal !== undefined;
  const { signal } = operation;
  try {
    const names = interactive ? ['0'] : ['0', '1', '2'];
    const [first, stdout, stderr] = await Promise.all(names.map((name) => sockets.get(name, signal)));
    await using session = await open(exec, signal);
    let ended = false;
    sockets.whenConnected('control', (control) => {
      onCommands(control, ({ command, args, signal: number }) => {
        const size = command === 'window-resize' ? resizeOf(args) : undefined;
        if (size) session.resize(...size);
        if (command === 'signal' && Number.isInteger(number)) session.signal(number as number);
      });
      const lost = () => {
        if (!ended) session.signal(SIGKILL);
      };
      control.on('close', lost);
      if (control.readyState >= control.CLOSING) lost();
    });
    const outputs: Promise<void>[] = [];
    if (session.terminal && first) {
      pumpTerminal(first, session.terminal);
      outputs.push(pumpOut(session.terminal, first, session.exited));
    } else if (session.pipes && first && stdout && stderr) {
      pumpIn(first, session.pipes.stdin);
      for (const socket of [stdout, stderr]) socket.resume();
      outputs.push(pumpOut(session.pipes.stdout, stdout, session.exited));
      outputs.push(pumpOut(session.pipes.stderr, stderr, session.exited));
    }
    const code = await session.exited;
    ended = true;
    await Promise.all(outputs);
    return outcome(operation, code, {});
  } finally {
    sockets.close();
  }
}

/** `POST …/exec`. @throws LxdError `not-found`, `invalid` */
export function startExec(
  context: InstancesContext,
  project: string,
  name: string,
  body: InstanceExecPost,
): Promise<OperationView> {
  const { services } = context;
  const { value } = findInstance(services, project, name);
  running(context, project, name);
  const connected = body['wait-for-websocket'] ?? false;
  const interactive = body.interactive ?? false;
  const { config } = expandIn(services, project, value);
  const environment = environmentOf(config, body);
  const user = body.user ?? 0;
  const command: ExecCommand = {
    command: body.command ?? [],
    environment,
    user,
    group: body.group ?? 0,
    cwd: body.cwd || config['oci.cwd'] || (user === 0 ? '/root' : '/'),
    ...(connected && interactive ? { terminal: { columns: body.width || 80, rows: body.height || 24 } } : {}),
  };
  const exec: Exec = { context, project, name, command };
  const announce = (id: string) => {
    services.events.lifecycle({
      action: 'instance-exec',
      source: instanceUrl(project, name),
      project,
      context: { command: command.command, operation: id },
    });
  };
  const request: Omit<DescribedRequest, 'class' | 'run'> = {
    description: 'Executing command',
    described: 'later',
    project,
    resources: { instances: [name], containers: [name] },
  };
  if (!connected)
    return services.operations.start({
      ...request,
      class: 'task',
      run: (operation) => {
        announce(operation.id);
        return runAlone(exec, body['record-output'] ?? false, operation);
      },
    });
  const sockets = new Sockets(services, interactive ? ['0', 'control'] : ['0', '1', '2', 'control']);
  return services.operations.start({
    ...request,
    class: 'websocket',
    metadata: { command: command.command, environment, fds: sockets.fds, interactive },
    sockets: sockets.handlers,
    run: (operation) => {
      announce(operation.id);
      return runConnected(exec, sockets, operation);
    },
  });
}
