import { once } from 'node:events';
import type { Readable } from 'node:stream';
import { LxdError } from '@lxd-ts/core';
import type { OperationView } from '@lxd-ts/operations';
import { findInstance, instanceUrl, memberOf, statusOf, type InstancesContext } from './context.ts';
import type { InstanceConsolePost } from './requests.ts';
import { onCommands, pumpOut, pumpTerminal, resizeOf } from './socket-stream.ts';
import { Sockets } from './sockets.ts';
import { instanceSpec } from './spec.ts';

function located({ services }: InstancesContext, project: string, name: string) {
  const { value } = findInstance(services, project, name);
  const member = memberOf(services, project, name);
  return { agent: services.agents.get(member), spec: instanceSpec(services, value, member) };
}

/** `POST …/console`. @throws LxdError `not-found`, `invalid` */
export function startConsole(
  context: InstancesContext,
  project: string,
  name: string,
  body: InstanceConsolePost,
): Promise<OperationView> {
  const { services } = context;
  const type = body.type ?? '';
  findInstance(services, project, name);
  if (type === 'vga') throw new LxdError('invalid', 'VGA console is only supported by virtual machines');
  if (type !== '' && type !== 'console') throw new LxdError('invalid', `Unknown console type "${type}"`);
  const status = statusOf(services, project, name);
  if (status === 'Frozen') throw new LxdError('invalid', 'Instance is frozen');
  if (status !== 'Running') throw new LxdError('invalid', 'Instance is not running');
  const sockets = new Sockets(services, ['0', 'control']);
  const size = { columns: body.width || 80, rows: body.height || 24 };
  return services.operations.start({
    class: 'websocket',
    description: 'Showing console',
    described: 'later',
    project,
    resources: { instances: [name], containers: [name] },
    metadata: { fds: sockets.fds },
    sockets: sockets.handlers,
    run: async ({ signal }) => {
      services.events.lifecycle({
        action: 'instance-console',
        source: instanceUrl(project, name),
        project,
        context: { type: 'console' },
      });
      try {
        const socket = await sockets.get('0', signal);
        const { agent, spec } = located(context, project, name);
        await using session = await agent.console(spec, size, { signal });
        const left = [once(socket, 'close')];
        const control = sockets.get('control', signal).then((connected) => {
          onCommands(connected, ({ command, args }) => {
            const resized = command === 'window-resize' ? resizeOf(args) : undefined;
            if (resized) session.resize(...resized);
          });
          return connected.readyState >= connected.CLOSING ? undefined : once(connected, 'close');
        });
        pumpTerminal(socket, session.terminal);
        const over = Promise.race([...left, control.catch(() => new Promise(() => undefined))]);
        await Promise.race([over, pumpOut(session.terminal, socket, over)]);
      } finally {
        sockets.close();
      }
    },
  });
}

/** `GET …/console`: what it has shown. */
export async function consoleLog(
  context: InstancesContext,
  project: string,
  name: string,
  signal: AbortSignal,
): Promise<Readable> {
  const { agent, spec } = located(context, project, name);
  const log = await agent.consoleLog(spec, { signal });
  context.services.events.lifecycle({
    action: 'instance-console-retrieved',
    source: instanceUrl(project, name),
    project,
  });
  return log;
}

/** `DELETE …/console`. */
export async function clearConsole(
  context: InstancesContext,
  project: string,
  name: string,
  signal: AbortSignal,
): Promise<void> {
  const { agent, spec } = located(context, project, name);
  await agent.clearConsoleLog(spec, { signal });
  context.services.events.lifecycle({
    action: 'instance-console-reset',
    source: instanceUrl(project, name),
    project,
  });
}
