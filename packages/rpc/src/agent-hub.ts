import type { Duplex } from 'node:stream';
import { Server, ServerCredentials, type ServerDuplexStream, type status } from '@grpc/grpc-js';
import { grpcStatusOf, LxdError, toLxdError, type ErrorCode, type InstanceRef } from '@lxd-ts/core';
import { AgentHubService, type AgentMessage, type Chunk, type HubMessage } from './agent-hub.gen.ts';
import type { Agent, CallOptions, Observation } from './agent.ts';
import { CallTable } from './call-table.ts';
import { byteStream, type ChunkStream } from './channel.ts';
import { internalSuffix, type Accept } from './member-port.ts';
import type { Identity } from './pki.ts';
import { remoteAgent, type Peer } from './remote-agent.ts';
import { protocolVersion } from './serve-agent.ts';

export interface AgentHubOptions {
  identity: Identity;
  /** Whether this certificate belongs to a member that may connect. */
  mayConnect(member: string, fingerprint: string): boolean;
  connected(member: string, agent: Agent): void;
  disconnected(member: string, agent: Agent): void;
  /** A connected member gave a sign of life. */
  heard?(member: string, agent: Agent): void;
  /** Milliseconds between two signs of life that agents are asked for. */
  heartbeatMs(): number;
  /** A connection to the REST API, from the unix socket of a member that does not serve it itself. */
  forwarded(member: string, connection: Duplex): void;
}

/** The name that agents ask for in TLS, and that the hub's certificate says. */
export const hubName = `control-plane${internalSuffix}`;

export interface AgentHub extends AsyncDisposable {
  /** For connections that ask for `hubName`. */
  accept: Accept;
  /** Ends a connection over which nothing is heard any more. */
  drop(agent: Agent): void;
}

interface TlsStream {
  getAuthContext(): { sslPeerCertificate?: { subject?: { CN?: string }; fingerprint256?: string } };
}

/** Who is at the other end, from the certificate that TLS has verified; the fingerprint as LXD writes it. */
function peerOf(call: unknown): { name: string; fingerprint: string } {
  const { sslPeerCertificate: certificate } = (call as TlsStream).getAuthContext();
  const name = certificate?.subject?.CN;
  if (!name) throw new LxdError('unauthenticated', 'The client showed no certificate');
  return { name, fingerprint: (certificate.fingerprint256 ?? '').replaceAll(':', '').toLowerCase() };
}

const grpcError = (error: unknown): { code: status; details: string } => {
  const { code, message } = toLxdError(error);
  // eslint-disable-next-line @typescript-eslint/no-unsafe-enum-assignment -- core spells the codes without gRPC's library
  return { code: grpcStatusOf(code), details: message };
};

/** Ends a stream with a status that the other end hears; destroying it would tell nobody. */
const endWith = (stream: ServerDuplexStream<AgentMessage, HubMessage>, error: LxdError): void =>
  void stream.emit('error', Object.assign(error, grpcError(error)));

/** The whole picture is as of now, too: what was so earlier is not told any more. */
function withLater(
  seen: readonly Observation[],
  later: Extract<Observation, { kind: 'instance' }>,
): Observation[] {
  const { instance } = later;
  const isOf = ({ project, name }: InstanceRef) => project === instance.project && name === instance.name;
  const now = seen.map((one): Observation => {
    if (one.kind !== 'all') return one;
    return { ...one, instances: [...one.instances.filter((other) => !isOf(other)), instance] };
  });
  return [...now, later];
}

/** One connected agent. */
class Connection implements Peer {
  readonly member: string;
  readonly agent: Agent;
  readonly #stream: ServerDuplexStream<AgentMessage, HubMessage>;
  readonly #calls = new CallTable();
  readonly #channels = new Map<string, PromiseWithResolvers<ChunkStream>>();
  readonly #observers = new Set<(observation: Observation | undefined) => void>();
  /** The latest whole picture and what came since, for an observer that comes late. */
  #seen: Observation[] = [];
  #over = false;

  constructor(member: string, stream: ServerDuplexStream<AgentMessage, HubMessage>) {
    this.member = member;
    this.#stream = stream;
    this.agent = remoteAgent(this);
    stream.on('data', (message: AgentMessage) => this.#receive(message.message));
  }

  #receive(message: AgentMessage['message']): void {
    switch (message?.$case) {
      case 'result':
        this.#calls.resolve(message.result.call, message.result.value);
        return;
      case 'failure':
        this.#calls.reject(
          message.failure.call,
          new LxdError(message.failure.code as ErrorCode, message.failure.message),
        );
        return;
      case 'progress':
        this.#calls.progress(message.progress.call, message.progress.value);
        return;
      case 'observation':
        this.#observed(JSON.parse(message.observation) as Observation);
        return;
      default:
        return;
    }
  }

  #observed(observation: Observation): void {
    if (this.#observers.size === 0) {
      this.#seen = observation.kind === 'all' ? [observation] : withLater(this.#seen, observation);
    }
    for (const tell of this.#observers) tell(observation);
  }

  async call(method: string, args: unknown[], options: CallOptions): Promise<unknown> {
    options.signal.throwIfAborted();
    if (this.#over) throw new LxdError('unavailable', `Member "${this.member}" is offline`);
    const { id, answer } = this.#calls.open(options.onProgress);
    const onAbort = () => this.#stream.write({ message: { $case: 'cancel', cancel: { call: id } } });
    options.signal.addEventListener('abort', onAbort, { once: true });
    this.#stream.write({ message: { $case: 'call', call: { id, method, arguments: JSON.stringify(args) } } });
    try {
      return await answer;
    } finally {
      options.signal.removeEventListener('abort', onAbort);
    }
  }

  #expected(name: string): PromiseWithResolvers<ChunkStream> {
    const expected = this.#channels.get(name) ?? Promise.withResolvers<ChunkStream>();
    this.#channels.set(name, expected);
    return expected;
  }

  opened(name: string, channel: ChunkStream): void {
    channel.on('error', () => undefined); // the byte stream tells its reader
    channel.once('close', () => this.#channels.delete(name));
    channel.once('end', () => channel.end()); // the agent has no more to say: the call is over
    this.#expected(name).resolve(channel);
  }

  async channel(name: string, signal: AbortSignal): Promise<ChunkStream> {
    const expected = this.#expected(name);
    const onAbort = () => expected.reject(signal.reason as Error);
    signal.addEventListener('abort', onAbort, { once: true });
    try {
      return await expected.promise;
    } finally {
      signal.removeEventListener('abort', onAbort);
      this.#channels.delete(name);
    }
  }

  async *observations(signal: AbortSignal): AsyncGenerator<Observation> {
    const queue: (Observation | undefined)[] = [...this.#seen, ...(this.#over ? [undefined] : [])];
    this.#seen = [];
    let wake = Promise.withResolvers<void>();
    const tell = (observation: Observation | undefined) => {
      queue.push(observation);
      wake.resolve();
    };
    const onAbort = () => tell(undefined);
    this.#observers.add(tell);
    signal.addEventListener('abort', onAbort, { once: true });
    try {
      for (;;) {
        if (queue.length === 0) {
          wake = Promise.withResolvers();
          await wake.promise;
        }
        const next = queue.shift();
        if (!next) return;
        yield next;
      }
    } finally {
      this.#observers.delete(tell);
      signal.removeEventListener('abort', onAbort);
    }
  }

  /** Nothing is heard from the other end: what is under way is given up, and it may connect again. */
  drop(): void {
    endWith(this.#stream, new LxdError('unavailable', 'Nothing was heard for too long'));
  }

  end(): void {
    this.#over = true;
    const why = `The connection to member "${this.member}" was lost`;
    this.#calls.rejectAll(why);
    for (const expected of this.#channels.values()) expected.reject(new LxdError('unavailable', why));
    for (const tell of this.#observers) tell(undefined);
  }
}

/** Where agents dial in, over mutual TLS. A member's certificate says its name: an agent speaks only for itself. */
export function startAgentHub(options: AgentHubOptions): AgentHub {
  const { identity } = options;
  const connections = new Map<string, Connection>();
  const server = new Server({
    'grpc.max_receive_message_length': -1,
    'grpc.keepalive_time_ms': 5_000,
    'grpc.keepalive_timeout_ms': 3_000,
  });

  server.addService(AgentHubService, {
    session: (stream: ServerDuplexStream<AgentMessage, HubMessage>) => {
      const refuse = (error: LxdError) => endWith(stream, error);
      let name: string;
      let fingerprint: string;
      try {
        ({ name, fingerprint } = peerOf(stream));
      } catch (error) {
        refuse(toLxdError(error));
        return;
      }
      if (!options.mayConnect(name, fingerprint)) {
        refuse(new LxdError('forbidden', `"${name}" is not a member of this cluster`));
        return;
      }
      stream.once('data', ({ message }: AgentMessage) => {
        if (message?.$case !== 'hello' || message.hello.protocol !== protocolVersion) {
          refuse(new LxdError('precondition-failed', `This server speaks protocol ${protocolVersion}`));
          return;
        }
        // A member that connects again has lost its former connection, even if we have not noticed yet.
        const former = connections.get(name);
        const connection = new Connection(name, stream);
        connections.set(name, connection);
        stream.on('data', () => options.heard?.(name, connection.agent));
        stream.write({ message: { $case: 'welcome', welcome: { heartbeat: options.heartbeatMs() } } });
        if (former) {
          former.end();
          options.disconnected(name, former.agent);
        }
        const end = () => {
          connection.end();
          if (connections.get(name) !== connection) return;
          connections.delete(name);
          options.disconnected(name, connection.agent);
        };
        stream.once('end', () => {
          stream.end();
          end();
        });
        stream.once('cancelled', end).once('error', end).once('close', end);
        options.connected(name, connection.agent);
      });
    },

    channel: (stream: ServerDuplexStream<Chunk, Chunk>) => {
      const name = String(stream.metadata.get('channel')[0] ?? '');
      const connection = connections.get(peerOf(stream).name);
      if (connection && name) connection.opened(name, stream as unknown as ChunkStream);
      else stream.destroy(new Error('no session'));
    },

    forward: (stream: ServerDuplexStream<Chunk, Chunk>) => {
      const { name } = peerOf(stream);
      stream.on('error', () => undefined); // the byte stream tells its reader
      stream.once('end', () => stream.end());
      if (connections.has(name)) options.forwarded(name, byteStream(stream as unknown as ChunkStream));
      else stream.destroy(new Error('no session'));
    },
  });

  const injector = server.createConnectionInjector(
    ServerCredentials.createSsl(
      Buffer.from(identity.authority),
      [{ private_key: Buffer.from(identity.key), cert_chain: Buffer.from(identity.certificate) }],
      true,
    ),
  );

  return {
    accept: (socket) => injector.injectConnection(socket),
    drop: (agent) => {
      for (const connection of connections.values()) if (connection.agent === agent) connection.drop();
    },
    [Symbol.asyncDispose]: async () => {
      for (const connection of connections.values()) connection.end();
      server.forceShutdown();
      await Promise.resolve();
    },
  };
}
