import { mkdir, chmod } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { LxdError, toLxdError } from '@lxd-ts/core';
import { listenUnix } from '@lxd-ts/server';
import { Daemon } from './daemon.ts';
import { openLogger } from './logger.ts';
import { help, parseOptions, type DaemonOptions } from './options.ts';
import { version } from './version.ts';

/** Signals that end the daemon and leave its containers alone, as LXD's do. */
const leaveRunning = ['SIGTERM', 'SIGINT', 'SIGQUIT'] as const;

const endTimeoutMs = 60_000;

type End = { stopInstances: boolean; force: boolean };

async function run(options: DaemonOptions): Promise<void> {
  if (process.getuid?.() !== 0) throw new LxdError('forbidden', 'lxd-tsd must be started as root');
  const dir = resolve(options.dir);
  await mkdir(dir, { recursive: true, mode: 0o711 });
  await chmod(dir, 0o711);
  process.umask(0o022);
  const log = openLogger(options.level, options.logfile);
  const end = Promise.withResolvers<End>();
  const starting = new AbortController();
  // State is safe at any moment; going on after what nobody expected is not.
  process.on('uncaughtException', (error) => {
    log.error('the daemon has failed', { error: error.stack ?? error.message });
    process.exit(1);
  });
  let ending = false;
  const ask = (how: End) => {
    // Whoever asks twice does not want to wait.
    if (ending) process.exit(1);
    ending = true;
    starting.abort(new LxdError('cancelled', 'The daemon was told to end'));
    end.resolve(how);
  };
  for (const signal of leaveRunning) process.on(signal, () => ask({ stopInstances: false, force: false }));
  process.on('SIGPWR', () => ask({ stopInstances: true, force: false }));
  process.on('SIGHUP', () => undefined);
  const stopped = Promise.withResolvers<undefined>();
  const shutdown = async (force: boolean): Promise<void> => {
    if (!ending) ask({ stopInstances: true, force });
    await stopped.promise;
  };

  // Before anything is touched: another daemon may be at work here.
  await using listener = await listenUnix(join(dir, 'unix.socket'), options.group);
  const daemon = new Daemon({ ...options, dir }, listener, log, shutdown);
  await daemon.start(starting.signal);
  log.info('ready', { version, dir, roles: options.roles.join() });

  const { stopInstances, force } = await end.promise;
  log.info('ending', { stopInstances });
  if (stopInstances) await daemon.stopInstances(force);
  stopped.resolve(undefined);
  // What does not unwind in time is finished or rolled back at the next start.
  setTimeout(() => {
    log.error('something did not end; leaving anyway');
    process.exit(1);
  }, endTimeoutMs).unref();
  await listener[Symbol.asyncDispose]();
  const sayGoodbye = await daemon.end();
  sayGoodbye();
}

async function main(): Promise<void> {
  try {
    const options = parseOptions(process.argv.slice(2), process.env);
    if (options === 'help') process.stdout.write(help);
    else if (options === 'version') process.stdout.write(`${version}\n`);
    else await run(options);
    // Whatever still holds the loop has nothing more to say; goodbyes on sockets are given a moment.
    setTimeout(() => process.exit(0), 50);
  } catch (error) {
    const { code, message } = toLxdError(error);
    process.stderr.write(`lxd-tsd: ${message}\n`);
    // Being told to end while it starts is no failure.
    process.exit(code === 'cancelled' ? 0 : 1);
  }
}

void main();
