import { LxdError } from '@lxd-ts/core';
import { events, type ServerEvent } from '@lxd-ts/client';
import { command } from '../../base/command.ts';

const levels = ['panic', 'fatal', 'error', 'warning', 'info', 'debug', 'trace'] as const;

interface Logging {
  level: string;
  message: string;
  context?: Record<string, string> | null;
}

interface Lifecycle {
  action: string;
  source: string;
  context?: Record<string, string> | null;
  requestor?: { protocol: string; username: string } | null;
}

/** A log event of what happened, whatever kind of event it was. */
export function asLog({ type, metadata }: ServerEvent): Logging {
  if (type === 'lifecycle') {
    const { action, source, context, requestor } = metadata as unknown as Lifecycle;
    const who = requestor ? `, Requestor: ${requestor.protocol}/${requestor.username}` : '';
    return { level: 'info', message: `Action: ${action}, Source: ${source}${who}`, context: context ?? {} };
  }
  if (type === 'operation') {
    const { id, class: kind, description, status, err } = metadata as Record<string, string>;
    return {
      level: 'info',
      message: `ID: ${id ?? ''}, Class: ${kind ?? ''}, Description: ${description ?? ''}`,
      context: { Status: status ?? '', ...(err ? { Err: err } : {}) },
    };
  }
  return metadata as unknown as Logging;
}

const quoted = (value: string): string =>
  /[\s"=]/.test(value) || value === '' ? JSON.stringify(value) : value;

/** One line for one event. */
export function prettyLine(event: ServerEvent): string {
  const { level, message, context } = asLog(event);
  const details = Object.entries(context ?? {})
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, value]) => ` ${key}=${quoted(value)}`);
  const time = event.timestamp.replace(/\.\d+/, '');
  return `time="${time}" level=${level} msg=${JSON.stringify(message)}${details.join('')}\n`;
}

const rank = (level: string): number =>
  levels.findIndex((known) => known === (level === 'warn' ? 'warning' : level));

async function formatter(
  format: string,
  loglevel: string | undefined,
): Promise<(event: ServerEvent) => string> {
  switch (format) {
    case 'json':
      return (event) => `${JSON.stringify(event)}\n\n`;
    case 'yaml': {
      const { toYaml } = await import('../../format/yaml.ts');
      return (event) => `${toYaml(event)}\n\n`;
    }
    case 'pretty': {
      const most = loglevel === undefined ? levels.length : rank(loglevel);
      if (most < 0)
        throw new LxdError(
          'invalid',
          `Invalid log level "${loglevel ?? ''}": use one of ${levels.join(', ')}`,
        );
      return (event) => (rank(asLog(event).level) <= most ? prettyLine(event) : '');
    }
    default:
      throw new LxdError('invalid', `Invalid format "${format}"`);
  }
}

export default command({
  usage: '[<remote>:]',
  arity: [0, 1],
  description: 'Shows what happens on the server, as it happens: log messages, operations, lifecycle events.',
  examples: [
    ['monitor --type=lifecycle', 'What was created, changed and deleted'],
    ['monitor --pretty --loglevel=info', 'Everything of importance, a line each'],
  ],
  flags: {
    'all-projects': { kind: 'boolean', help: 'Events of all projects' },
    format: { kind: 'string', short: 'f', value: 'json|pretty|yaml', help: 'Output format (default yaml)' },
    loglevel: { kind: 'string', value: 'level', help: 'Least level of log messages (pretty format only)' },
    pretty: { kind: 'boolean', help: 'The same as --format=pretty' },
    type: { kind: 'list', value: 'type', help: 'logging, operation or lifecycle (default: all)' },
  },
  async run(shell, args, flags) {
    const { io } = shell;
    const format = flags.pretty ? 'pretty' : (flags.format ?? 'yaml');
    if (flags.loglevel !== undefined && format !== 'pretty') {
      throw new LxdError('invalid', 'Log level filtering can only be used with pretty formatting');
    }
    const shown = await formatter(format, flags.loglevel);
    const { client } = await shell.onlyRemote(args);
    const stop = new AbortController();
    const restore = ['SIGINT', 'SIGTERM'].map((name) =>
      io.onSignal(name as NodeJS.Signals, () => {
        stop.abort();
      }),
    );
    try {
      const stream = events(client, {
        types: flags.type,
        allProjects: flags['all-projects'],
        signal: stop.signal,
      });
      for await (const event of stream) {
        const text = shown(event);
        if (text !== '') io.stdout.write(text);
      }
    } catch (error) {
      if (!stop.signal.aborted) throw error;
    } finally {
      for (const undo of restore) undo();
    }
    if (stop.signal.aborted) return undefined;
    throw new LxdError('unavailable', 'The server closed the stream of events');
  },
});
