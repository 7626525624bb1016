import { Agent, request } from 'node:http';
import { once } from 'node:events';
import { WebSocket } from 'ws';

interface Envelope {
  type: string;
  error?: string;
  metadata: unknown;
}

export interface Operation {
  id: string;
  status: string;
  err: string;
  metadata: Record<string, unknown> | null;
}

/** The LXD API on a unix socket, with nothing between that would be measured too. */
export class Rest {
  readonly socketPath: string;
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 4 });

  constructor(dir: string) {
    this.socketPath = `${dir}/unix.socket`;
  }

  async call(
    method: string,
    path: string,
    body?: unknown,
    headers: Record<string, string> = {},
  ): Promise<unknown> {
    const data = body === undefined || Buffer.isBuffer(body) ? body : JSON.stringify(body);
    const sent = request({ socketPath: this.socketPath, agent: this.#agent, method, path, headers });
    sent.end(data);
    const [response] = (await once(sent, 'response')) as [AsyncIterable<Buffer>];
    const chunks: Buffer[] = [];
    for await (const chunk of response) chunks.push(chunk);
    const answer = JSON.parse(Buffer.concat(chunks).toString()) as Envelope;
    if (answer.type === 'error') throw new Error(`${method} ${path}: ${answer.error ?? ''}`);
    return answer.metadata;
  }

  /** A body that is no JSON, thrown away. Its size in bytes. */
  async download(path: string): Promise<number> {
    const sent = request({ socketPath: this.socketPath, agent: this.#agent, path }).end();
    const [response] = (await once(sent, 'response')) as [AsyncIterable<Buffer> & { statusCode: number }];
    let size = 0;
    for await (const chunk of response) size += chunk.length;
    if (response.statusCode !== 200) throw new Error(`GET ${path}: ${response.statusCode}`);
    return size;
  }

  async wait(operation: unknown): Promise<Operation> {
    const { id } = operation as Operation;
    const over = (await this.call('GET', `/1.0/operations/${id}/wait`)) as Operation;
    if (over.status !== 'Success') throw new Error(`${this.socketPath}: operation failed: ${over.err}`);
    return over;
  }

  async run(
    method: string,
    path: string,
    body?: unknown,
    headers?: Record<string, string>,
  ): Promise<Operation> {
    return this.wait(await this.call(method, path, body, headers));
  }

  /** `exec` over websockets, as the clients do it. */
  async exec(name: string, command: string[]): Promise<void> {
    const operation = (await this.call('POST', `/1.0/instances/${name}/exec`, {
      command,
      'wait-for-websocket': true,
      interactive: false,
    })) as Operation;
    const fds = operation.metadata?.['fds'] as Record<string, string>;
    const sockets = await Promise.all(
      Object.values(fds).map(async (secret) => {
        const socket = new WebSocket(
          `ws+unix://${this.socketPath}:/1.0/operations/${operation.id}/websocket?secret=${secret}`,
        );
        socket.on('error', () => undefined);
        await once(socket, 'open');
        return socket;
      }),
    );
    await this.wait(operation);
    for (const socket of sockets) socket.terminate();
  }

  close(): void {
    this.#agent.destroy();
  }
}
