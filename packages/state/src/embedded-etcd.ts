import { chmod, mkdir } from 'node:fs/promises';
import { connect } from 'node:net';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { LxdError, toLxdError } from '@lxd-ts/core';
import { Backoff, etcdClient } from './etcd-client.ts';
import { diagnose } from './etcd-diagnosis.ts';
import { announcePeer } from './etcd-members.ts';
import { aloneArguments, peerArguments, writePeerFiles, type EtcdPeer } from './etcd-peer.ts';
import { findEtcd, startEtcd, type EtcdProcess } from './etcd-process.ts';

export interface EmbeddedEtcd {
  /** For `openEtcdStore`. */
  endpoints: string[];
  /** Of the running process; changes when it is restarted. */
  readonly pid: number;
  /** An etcd that a killed daemon had left behind serves on. */
  readonly adopted: boolean;
  /** Ends it; what is stored stays. */
  stop(): Promise<void>;
}

export interface EmbeddedEtcdOptions {
  /** Of its own (0700): database, sockets, log. Made when it is not there. */
  dir: string;
  /** Gives up starting. Does not stop it later. */
  signal: AbortSignal;
  /** Hears of every unexpected end, and what to do about it. It is started again in any case. */
  onTrouble?: (error: LxdError) => void;
  binary?: string;
  /** In a cluster of several; undefined: it is alone. One that was alone becomes its cluster's first member. */
  peer?: EtcdPeer;
  /** The members of the cluster that it joins, name → URL, itself included. Only counts while it has no data. */
  join?: Readonly<Record<string, string>>;
}

/** etcd takes `unix://HOST:PORT` and makes a socket file of just this name in its working directory. */
const sockets = { client: 'localhost:1', peer: 'localhost:2' };

/** What the kernel takes as a socket's path. */
const longestSocketPath = 107;

const readyTimeoutMs = 60_000;
const clusterTimeoutMs = 600_000;
const stopTimeoutMs = 5000;
/** Having run this long, it may be started again at once. */
const steadyMs = 10_000;

/**
 * Starts etcd as a child and keeps it running until `stop`.
 * @throws LxdError `unavailable`, saying which directory is wrong and what to do, when it does not start
 */
export async function startEmbeddedEtcd(options: EmbeddedEtcdOptions): Promise<EmbeddedEtcd> {
  const { signal, onTrouble = () => undefined, binary = '/usr/bin/etcd' } = options;
  const dir = resolve(options.dir);
  const socket = join(dir, sockets.client);
  if (Buffer.byteLength(socket) > longestSocketPath) {
    throw new LxdError(
      'invalid',
      `The path of ${dir} is too long for a socket in it; choose a shorter directory`,
    );
  }
  await mkdir(dir, { recursive: true, mode: 0o700 });
  await chmod(dir, 0o700);

  const { peer, join: cluster } = options;
  if (peer) await writePeerFiles(dir, peer);
  const peers = peer ? peerArguments(peer, cluster) : aloneArguments(sockets.peer);
  // With others it is ready once it has a vote, and enough of them are there.
  const patienceMs = peer ? clusterTimeoutMs : readyTimeoutMs;
  const ready = readyCheck(socket);
  const begin = async (giveUp: AbortSignal): Promise<EtcdProcess> => {
    const started = await startEtcd(binary, dir, sockets, peers);
    let how: string | undefined;
    void started.ended.then((reason) => (how = reason));
    const end = performance.now() + patienceMs;
    while (!(await ready())) {
      if (how !== undefined) throw diagnose(dir, await started.log(), how);
      if (giveUp.aborted || performance.now() > end) {
        await endProcess(started);
        giveUp.throwIfAborted();
        throw diagnose(dir, await started.log(), `not ready after ${patienceMs / 1000} s`);
      }
      await sleep(10);
    }
    return started;
  };

  const stopping = new AbortController();
  const ending = (): boolean => stopping.signal.aborted;
  const left = await findEtcd(binary, dir);
  // One that listens elsewhere must start again.
  const listens = peers.find((argument) => argument.startsWith('--listen-peer-urls=')) ?? '';
  const fits = left !== undefined && left.argv.includes(listens);
  const adopted = fits && (await answersSoon(ready));
  if (left && !adopted) await endProcess(left);
  let current: EtcdProcess = left && adopted ? left : await begin(signal);
  if (peer) await announcePeer({ endpoints: [`unix:${socket}`] }, peer.url, signal);

  const restarted = async (): Promise<boolean> => {
    try {
      current = await begin(stopping.signal);
    } catch (error) {
      if (!stopping.signal.aborted) onTrouble(toLxdError(error));
      return stopping.signal.aborted;
    }
    return true;
  };
  const supervise = async (): Promise<void> => {
    const backoff = new Backoff(5000);
    for (;;) {
      const since = performance.now();
      const how = await current.ended;
      if (stopping.signal.aborted) return;
      onTrouble(diagnose(dir, await current.log(), how));
      if (performance.now() - since > steadyMs) backoff.reset();
      else await backoff.wait(stopping.signal);
      while (!(await restarted())) await backoff.wait(stopping.signal);
      // It came up while `stop` was ending the one before, and nobody else knows of it.
      if (ending()) return endProcess(current);
    }
  };
  const supervised = supervise().catch((error: unknown) => {
    if (!stopping.signal.aborted) onTrouble(toLxdError(error));
  });

  return {
    endpoints: [`unix:${socket}`],
    get pid() {
      return current.pid;
    },
    adopted,
    async stop() {
      stopping.abort();
      await endProcess(current);
      await supervised;
      // It may have been on its way up again meanwhile.
      await endProcess(current);
    },
  };
}

async function endProcess(etcd: EtcdProcess): Promise<void> {
  etcd.signal('SIGTERM');
  const timer = setTimeout(() => etcd.signal('SIGKILL'), stopTimeoutMs);
  await etcd.ended;
  clearTimeout(timer);
}

/** Cheap while the socket is not there; then one real read, which needs a leader. */
function readyCheck(socket: string): () => Promise<boolean> {
  return async () => {
    if (!(await connects(socket))) return false;
    const { raw } = etcdClient({ endpoints: [`unix:${socket}`], callTimeoutMs: 1000 });
    try {
      await raw.kv.range({ key: Buffer.from('ready'), count_only: true });
      return true;
    } catch {
      return false;
    } finally {
      raw.close();
    }
  };
}

async function answersSoon(ready: () => Promise<boolean>): Promise<boolean> {
  for (let attempt = 0; attempt < 10; attempt++) {
    if (await ready()) return true;
    await sleep(100);
  }
  return false;
}

async function connects(path: string): Promise<boolean> {
  return new Promise((done) => {
    const socket = connect(path);
    socket.once('connect', () => {
      socket.destroy();
      done(true);
    });
    socket.once('error', () => done(false));
  });
}
