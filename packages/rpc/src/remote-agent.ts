import { randomUUID } from 'node:crypto';
import type { Duplex } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { LxdError, toLxdError } from '@lxd-ts/core';
import type {
  Agent,
  BackupFile,
  CallOptions,
  ExecSession,
  MigrationStreams,
  Observation,
  ReceivedBackup,
  ReceivedInstance,
  TerminalSession,
} from './agent.ts';
import type { ImageFile, ReceivedImage } from './images.ts';
import { byteStream, joinStreams, sendParts, type ChunkStream } from './channel.ts';

/** What the remote form of an agent needs of its connection. */
export interface Peer {
  call(method: string, args: unknown[], options: CallOptions): Promise<unknown>;
  /** The channel of this name, as soon as the agent has opened it. */
  channel(name: string, signal: AbortSignal): Promise<ChunkStream>;
  observations(signal: AbortSignal): AsyncIterable<Observation>;
}

/** Methods whose arguments and results are plain JSON. */
export const plainMethods = [
  'describe',
  'restore',
  'release',
  'createPool',
  'updatePool',
  'deletePool',
  'poolUsage',
  'scanPool',
  'adoptInstance',
  'createVolume',
  'copyVolume',
  'restoreVolume',
  'renameVolume',
  'deleteVolume',
  'limitVolume',
  'volumeSize',
  'volumeUsage',
  'rebuildInstance',
  'metadata',
  'setMetadata',
  'templates',
  'readTemplate',
  'writeTemplate',
  'deleteTemplate',
  'resources',
  'createNetwork',
  'updateNetwork',
  'deleteNetwork',
  'networkState',
  'networkLeases',
  'hostInterfaces',
  'missingBlobs',
  'heldImages',
  'deleteImage',
  'deleteImageVolume',
  'createInstance',
  'offerMigration',
  'deleteInstance',
  'renameInstance',
  'updateInstance',
  'createSnapshot',
  'renameSnapshot',
  'deleteSnapshot',
  'settleSnapshots',
  'restoreSnapshot',
  'refreshInstance',
  'deleteRoot',
  'publishImage',
  'createBackup',
  'describeInstances',
  'createVolumeBackup',
  'restoreVolumeBackup',
  'deleteBackup',
  'keepBackups',
  'startInstance',
  'stopInstance',
  'freezeInstance',
  'unfreezeInstance',
  'instanceStates',
  'clearConsoleLog',
  'logs',
  'deleteLog',
  'membership',
] as const satisfies readonly (keyof Agent)[];

/** Names of the channels that the agent opens for a session. */
export interface SessionChannels {
  session: string;
  terminal?: string;
  pipes?: { stdin: string; stdout: string; stderr: string };
}

const forEver = new AbortController().signal;

async function openSession(
  peer: Peer,
  method: 'exec' | 'console' | 'files',
  args: unknown[],
  options: CallOptions,
): Promise<ExecSession> {
  const opened = (await peer.call(method, args, options)) as SessionChannels;
  const open = async (name: string): Promise<Duplex> => byteStream(await peer.channel(name, options.signal));
  const tell = (verb: string, ...rest: number[]) => {
    peer.call(`session.${verb}`, [opened.session, ...rest], { signal: forEver }).catch(() => undefined);
  };
  const exited = peer.call('session.exited', [opened.session], { signal: forEver }) as Promise<number>;
  exited.catch(() => undefined);
  const { pipes } = opened;
  const streams = pipes
    ? {
        pipes: {
          stdin: await open(pipes.stdin),
          stdout: await open(pipes.stdout),
          stderr: await open(pipes.stderr),
        },
      }
    : opened.terminal === undefined
      ? {}
      : { terminal: await open(opened.terminal) };
  return {
    ...streams,
    exited,
    signal: (signal) => tell('signal', signal),
    resize: (columns, rows) => tell('resize', columns, rows),
    [Symbol.asyncDispose]: async () => {
      await peer.call('session.close', [opened.session], { signal: forEver }).catch(() => undefined);
    },
  };
}

/** An agent on another machine, behind the same interface. */
export function remoteAgent(peer: Peer): Agent {
  const plain = Object.fromEntries(
    plainMethods.map((method) => [
      method,
      (...args: unknown[]) => peer.call(method, args.slice(0, -1), args.at(-1) as CallOptions),
    ]),
  ) as unknown as Pick<Agent, (typeof plainMethods)[number]>;

  const migrate = async (
    method: 'sendInstance' | 'receiveInstance' | 'sendVolume' | 'receiveVolume',
    args: unknown[],
    streams: MigrationStreams,
    options: CallOptions,
  ): Promise<unknown> => {
    if (streams.kind === 'direct') return peer.call(method, [...args, streams], options);
    const { control, filesystem } = streams;
    const relay = async (stream: Duplex): Promise<string> => {
      const name = randomUUID();
      const channel = peer.channel(name, options.signal);
      channel.then(
        (opened) => joinStreams(stream, byteStream(opened)),
        (error: unknown) => stream.destroy(toLxdError(error)),
      );
      return Promise.resolve(name);
    };
    const names = { kind: 'relayed', control: await relay(control), filesystem: await relay(filesystem) };
    return peer.call(method, [...args, names], options);
  };

  const read = async (method: string, args: unknown[], options: CallOptions) => {
    const name = (await peer.call(method, args, options)) as string;
    return byteStream(await peer.channel(name, options.signal));
  };

  return {
    ...plain,
    receiveImage: async (parts, options) => {
      const name = randomUUID();
      const { expected, ...rest } = options;
      const answer = peer.call('receiveImage', [name, expected ?? ''], rest) as Promise<ReceivedImage>;
      answer.catch(() => undefined);
      // A refusal may come before the first byte was wanted.
      const channel = await Promise.race([peer.channel(name, options.signal), answer.then(() => undefined)]);
      if (channel) {
        await sendParts(channel, parts).catch(async (error: unknown) => {
          channel.destroy();
          await answer;
          throw error;
        });
      }
      return answer;
    },
    sendImage: async (fingerprint, options) => {
      const files = (await peer.call('sendImage', [fingerprint], options)) as (Omit<ImageFile, 'body'> & {
        channel: string;
      })[];
      return Promise.all(
        files.map(async ({ channel, ...file }) => ({
          ...file,
          body: byteStream(await peer.channel(channel, options.signal)),
        })),
      );
    },
    sendInstance: async (spec, request, streams, options) => {
      await migrate('sendInstance', [spec, request], streams, options);
    },
    sendVolume: async (volume, request, streams, options) => {
      await migrate('sendVolume', [volume, request], streams, options);
    },
    receiveVolume: async (volume, request, streams, options) =>
      (await migrate('receiveVolume', [volume, request], streams, options)) as Pick<
        ReceivedInstance,
        'snapshots' | 'gone'
      >,
    receiveInstance: async (spec, request, streams, options) =>
      (await migrate('receiveInstance', [spec, request], streams, options)) as ReceivedInstance,
    readBackup: async (id, options) => {
      const { channel, ...file } = (await peer.call('readBackup', [id], options)) as Omit<
        BackupFile,
        'body'
      > & { channel: string };
      return { ...file, body: byteStream(await peer.channel(channel, options.signal)) };
    },
    receiveBackup: async (id, body, options) => {
      const name = randomUUID();
      const answer = peer.call('receiveBackup', [id, name], options) as Promise<ReceivedBackup>;
      answer.catch(() => undefined);
      // A refusal may come before the first byte was wanted.
      const channel = await Promise.race([peer.channel(name, options.signal), answer.then(() => undefined)]);
      // What went wrong on the other side is told by the answer.
      if (channel) await pipeline(body, byteStream(channel)).catch(() => undefined);
      return answer;
    },
    exec: (spec, command, options) => openSession(peer, 'exec', [spec, command], options),
    console: async (spec, size, options) =>
      (await openSession(peer, 'console', [spec, size], options)) as ExecSession & TerminalSession,
    files: async (spec, options) => {
      const session = await openSession(peer, 'files', [spec], options);
      const stream = session.terminal;
      if (!stream) throw new LxdError('internal', 'The member opened no stream');
      // What was written before may never be taken: the end of its channel might not be heard there.
      stream.once('close', () => void session[Symbol.asyncDispose]());
      return stream;
    },
    consoleLog: (spec, options) => read('consoleLog', [spec], options),
    readLog: (spec, file, options) => read('readLog', [spec, file], options),
    observe: ({ signal }) => peer.observations(signal),
  };
}
