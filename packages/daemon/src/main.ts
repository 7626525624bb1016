import { mkdir, chmod } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { LxdError, toLxdError } from '@lxd-ts/core';
import { connectAgent, localBulk } from '@lxd-ts/rpc';
import { createNodeServer, listenUnix } from '@lxd-ts/server';
import { openControlPlane, type ControlPlane } from './control-plane.ts';
import { joinedCluster } from './identity.ts';
import { openLogger } from './logger.ts';
import { openNode } from './node.ts';
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
  const joined = options.roles.includes('control-plane')
    ? undefined
    : await joinedCluster(dir, options.joinToken, new Date());
  const agent = options.roles.includes('node') ? await openNode(dir, localBulk(), log) : undefined;
  let controlPlane: ControlPlane | undefined;
  let connection: Promise<void> | undefined;
  const lifetime = new AbortController();
  if (options.roles.includes('control-plane')) {
    controlPlane = await openControlPlane(
      { ...options, dir },
      agent,
      listener,
      log,
      shutdown,
      starting.signal,
    );
  } else if (agent && joined) {
    const { identity, addresses, name } = joined;
    let online = false;
    connection = connectAgent(agent, addresses[0] ?? '', identity, {
      signal: lifetime.signal,
      onState: (connected, why) => {
        online = connected;
        log.info(connected ? 'connected' : 'not connected', { member: name, why });
      },
    });
    listener.serve(createNodeServer({ log, internal: { ready: () => online, shutdown } }));
  }
  log.info('ready', { version, dir, roles: options.roles.join() });

  const { stopInstances, force } = await end.promise;
  log.info('ending', { stopInstances });
  if (stopInstances) await controlPlane?.stopInstances(force);
  stopped.resolve(undefined);
  // What does not unwind in time is finished or rolled back at the next start.
  setTimeout(() => {
    log.error('something did not end; leaving anyway');
    process.exit(1);
  }, endTimeoutMs).unref();
  await listener[Symbol.asyncDispose]();
  await controlPlane?.close();
  lifetime.abort(new LxdError('unavailable', 'The daemon is shutting down'));
  await connection;
  agent?.[Symbol.dispose]();
  controlPlane?.sayGoodbye();
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
