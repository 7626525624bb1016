import { randomUUID } from 'node:crypto';
import { pipeline } from 'node:stream/promises';
import type { Duplex, Readable, Writable } from 'node:stream';
import { Metadata } from '@grpc/grpc-js';
import { LxdError, toLxdError } from '@lxd-ts/core';
import { type AgentHubClient, type AgentMessage, type HubMessage } from './agent-hub.gen.ts';
import type {
  Agent,
  CallOptions,
  ExecCommand,
  ExecSession,
  MigrationStreams,
  ReceiveRequest,
  SendRequest,
  TerminalSession,
} from './agent.ts';
import type { ImageFile } from './images.ts';
import type { InstanceRef, InstanceSpec, VolumeSpec } from '@lxd-ts/core';
import { byteStream, receiveParts, type ChunkStream } from './channel.ts';
import { plainMethods, type SessionChannels } from './remote-agent.ts';

export const protocolVersion = 1;

type Session = ExecSession | (TerminalSession & { exited?: Promise<number> });
type Handler = (args: unknown[], options: CallOptions) => Promise<unknown>;

/** The agent's side of one connection: does what it is told until the stream ends, then gives up what is under way. */
export class AgentConnection {
  readonly #agent: Agent;
  readonly #client: AgentHubClient;
  readonly #running = new Map<number, AbortController>();
  readonly #sessions = new Map<string, Session>();
  readonly #handlers: ReadonlyMap<string, Handler>;
  readonly #over = new AbortController();

  constructor(agent: Agent, client: AgentHubClient) {
    this.#agent = agent;
    this.#client = client;
    this.#handlers = this.#table();
  }

  /** Resolves when the connection has ended; rejects when it could not be made. */
  async serve(signal: AbortSignal): Promise<void> {
    const stream = this.#client.session();
    const send = (message: AgentMessage['message']) => {
      if (!stream.destroyed && !stream.writableEnded) stream.write({ message });
    };
    const ended = new Promise<void>((resolve, reject) => {
      stream.once('end', resolve).once('error', reject);
    });
    const onAbort = () => stream.cancel();
    signal.addEventListener('abort', onAbort, { once: true });
    let beating: NodeJS.Timeout | undefined;
    stream.on('data', ({ message }: HubMessage) => {
      if (message?.$case === 'welcome') {
        clearInterval(beating);
        const beat = () => send({ $case: 'heartbeat', heartbeat: {} });
        beating = setInterval(beat, Math.max(100, message.welcome.heartbeat));
      } else if (message?.$case === 'call') {
        const { id, method, arguments: args } = message.call;
        void this.#run(id, method, args, send);
      } else if (message?.$case === 'cancel') {
        this.#running.get(message.cancel.call)?.abort(new LxdError('cancelled', 'The call was cancelled'));
      }
    });
    send({ $case: 'hello', hello: { protocol: protocolVersion } });
    // Who cannot be observed is not connected.
    const observing = this.#observe(send).catch(() => stream.cancel());
    try {
      await ended;
    } finally {
      clearInterval(beating);
      signal.removeEventListener('abort', onAbort);
      this.#over.abort(new LxdError('unavailable', 'The connection to the control plane was lost'));
      for (const controller of this.#running.values()) controller.abort(this.#over.signal.reason);
      await Promise.allSettled([...this.#sessions.values()].map((session) => session[Symbol.asyncDispose]()));
      await observing;
    }
  }

  async #observe(send: (message: AgentMessage['message']) => void): Promise<void> {
    for await (const observation of this.#agent.observe({ signal: this.#over.signal })) {
      send({ $case: 'observation', observation: JSON.stringify(observation) });
    }
  }

  async #run(
    id: number,
    method: string,
    args: string,
    send: (message: AgentMessage['message']) => void,
  ): Promise<void> {
    const controller = new AbortController();
    this.#running.set(id, controller);
    try {
      const handler = this.#handlers.get(method);
      if (!handler)
        throw new LxdError('unsupported', `This member does not know "${method}"; is its version older?`);
      const value = await handler(JSON.parse(args) as unknown[], {
        signal: controller.signal,
        onProgress: (progress) =>
          send({ $case: 'progress', progress: { call: id, value: JSON.stringify(progress) } }),
      });
      send({
        $case: 'result',
        result: { call: id, value: value === undefined ? '' : JSON.stringify(value) },
      });
    } catch (error) {
      const { code, message } = toLxdError(error);
      send({ $case: 'failure', failure: { call: id, code, message } });
    } finally {
      this.#running.delete(id);
    }
  }

  #open(name: string): ChunkStream {
    const metadata = new Metadata();
    metadata.set('channel', name);
    const channel = this.#client.channel(metadata);
    channel.on('error', () => undefined); // told through the byte stream, and by the end of the session
    return channel as unknown as ChunkStream;
  }

  #sendFrom(source: Readable): string {
    const name = randomUUID();
    pipeline(source, byteStream(this.#open(name))).catch(() => undefined);
    return name;
  }

  #sendTo(target: Writable): string {
    const name = randomUUID();
    pipeline(byteStream(this.#open(name)), target).catch(() => undefined);
    return name;
  }

  #both(terminal: Duplex): string {
    const name = randomUUID();
    const channel = byteStream(this.#open(name));
    pipeline(channel, terminal, channel).catch(() => undefined);
    return name;
  }

  #keep(session: Session): SessionChannels {
    const id = randomUUID();
    this.#sessions.set(id, session);
    const { pipes } = session as ExecSession;
    return {
      session: id,
      ...(session.terminal ? { terminal: this.#both(session.terminal) } : {}),
      ...(pipes
        ? {
            pipes: {
              stdin: this.#sendTo(pipes.stdin),
              stdout: this.#sendFrom(pipes.stdout),
              stderr: this.#sendFrom(pipes.stderr),
            },
          }
        : {}),
    };
  }

  #session(id: unknown): Session {
    const session = this.#sessions.get(String(id));
    if (!session) throw new LxdError('not-found', 'The session is over');
    return session;
  }

  #table(): Map<string, Handler> {
    const agent = this.#agent;
    const table = new Map<string, Handler>(
      plainMethods.map((method) => [
        method,
        (args, options) =>
          (agent[method] as (...all: unknown[]) => Promise<unknown>).call(agent, ...args, options),
      ]),
    );
    table.set('receiveImage', ([name, expected], options) =>
      agent.receiveImage(receiveParts(this.#open(String(name))), {
        ...options,
        ...(typeof expected === 'string' && expected ? { expected } : {}),
      }),
    );
    table.set('sendImage', async ([fingerprint], options) =>
      (await agent.sendImage(String(fingerprint), options)).map(({ body, ...file }: ImageFile) => ({
        ...file,
        channel: this.#sendFrom(body),
      })),
    );
    table.set('readBackup', async ([id], options) => {
      const { body, ...file } = await agent.readBackup(String(id), options);
      return { ...file, channel: this.#sendFrom(body) };
    });
    table.set('receiveBackup', ([id, name], options) =>
      agent.receiveBackup(String(id), byteStream(this.#open(String(name))), options),
    );
    const streams = (value: unknown): MigrationStreams => {
      const given = value as
        | Extract<MigrationStreams, { kind: 'direct' }>
        | { kind: 'relayed'; control: string; filesystem: string };
      if (given.kind === 'direct') return given;
      const open = (name: string) => byteStream(this.#open(name));
      return { kind: 'relayed', control: open(given.control), filesystem: open(given.filesystem) };
    };
    table.set('sendInstance', ([spec, request, where], options) =>
      agent.sendInstance(spec as InstanceSpec, request as SendRequest, streams(where), options),
    );
    table.set('receiveInstance', ([spec, request, where], options) =>
      agent.receiveInstance(spec as InstanceSpec, request as ReceiveRequest, streams(where), options),
    );
    table.set('sendVolume', ([volume, request, where], options) =>
      agent.sendVolume(volume as VolumeSpec, request as SendRequest, streams(where), options),
    );
    table.set('receiveVolume', ([volume, request, where], options) =>
      agent.receiveVolume(
        volume as VolumeSpec,
        request as Parameters<Agent['receiveVolume']>[1],
        streams(where),
        options,
      ),
    );
    table.set('exec', async ([spec, command], options) =>
      this.#keep(await agent.exec(spec as InstanceSpec, command as ExecCommand, options)),
    );
    table.set('console', async ([spec, size], options) =>
      this.#keep(
        await agent.console(spec as InstanceSpec, size as { columns: number; rows: number }, options),
      ),
    );
    table.set('files', async ([spec], options) => {
      const terminal = await agent.files(spec as InstanceSpec, options);
      const close = () => Promise.resolve(void terminal.destroy());
      return this.#keep({ terminal, resize: () => undefined, [Symbol.asyncDispose]: close });
    });
    table.set('consoleLog', async ([spec], options) =>
      this.#sendFrom(await agent.consoleLog(spec as InstanceSpec, options)),
    );
    table.set('readLog', async ([ref, file], options) =>
      this.#sendFrom(await agent.readLog(ref as InstanceRef, String(file), options)),
    );
    table.set('session.exited', ([id]) => this.#session(id).exited ?? Promise.resolve(0));
    table.set('session.signal', async ([id, signal]) => {
      (this.#session(id) as ExecSession).signal(Number(signal));
    });
    table.set('session.resize', async ([id, columns, rows]) => {
      this.#session(id).resize(Number(columns), Number(rows));
    });
    table.set('session.close', async ([id]) => {
      const session = this.#session(id);
      this.#sessions.delete(String(id));
      await session[Symbol.asyncDispose]();
    });
    return table;
  }
}
