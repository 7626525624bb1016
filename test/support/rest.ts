import { Agent, request } from 'node:http';
import { once } from 'node:events';

export interface Answer {
  status: number;
  headers: Record<string, string | string[] | undefined>;
  /** The body as it came. */
  text: string;
  /** `sync`, `async` or `error`; empty where the body is no envelope. */
  type: string;
  error: string;
  metadata: unknown;
}

export interface OperationView {
  id: string;
  status: string;
  status_code: number;
  err: string;
  metadata: Record<string, unknown> | null;
}

/** The REST API on a unix socket, as it is: statuses are told, not thrown. */
export class Rest {
  readonly #socketPath: string;
  readonly #agent = new Agent({ keepAlive: true });

  constructor(socketPath: string) {
    this.#socketPath = socketPath;
  }

  /** One request; strings and bytes are sent as they are, all else as JSON. */
  async send(
    method: string,
    path: string,
    body?: unknown,
    headers: Record<string, string> = {},
  ): Promise<Answer> {
    const data =
      body === undefined || typeof body === 'string' || Buffer.isBuffer(body) ? body : JSON.stringify(body);
    // Node frames no body of a DELETE by itself.
    const length: Record<string, string> =
      data === undefined ? {} : { 'Content-Length': String(Buffer.byteLength(data)) };
    const sent = request({
      socketPath: this.#socketPath,
      agent: this.#agent,
      method,
      path,
      headers: { ...length, ...headers },
    });
    sent.end(data);
    const [response] = (await once(sent, 'response')) as [
      AsyncIterable<Buffer> & { statusCode: number; headers: Answer['headers'] },
    ];
    const chunks: Buffer[] = [];
    for await (const chunk of response) chunks.push(chunk);
    const text = Buffer.concat(chunks).toString();
    let envelope: Partial<Answer> = {};
    try {
      const parsed: unknown = JSON.parse(text);
      if (typeof parsed === 'object' && parsed !== null) envelope = parsed;
    } catch {
      // Files, logs, exports.
    }
    return {
      status: response.statusCode,
      headers: response.headers,
      text,
      type: envelope.type ?? '',
      error: envelope.error ?? '',
      metadata: envelope.metadata,
    };
  }

  /** The same; an operation is waited for, and its failure told as LXD's clients tell it. */
  async call(
    method: string,
    path: string,
    body?: unknown,
    headers?: Record<string, string>,
  ): Promise<Answer> {
    const answer = await this.send(method, path, body, headers);
    if (answer.type !== 'async') return answer;
    const { id } = answer.metadata as OperationView;
    const over = await this.send('GET', `/1.0/operations/${id}/wait?timeout=60`);
    const { err } = over.metadata as OperationView;
    return { ...over, status: answer.status, error: err };
  }

  /** The same; throws where it fails. */
  async must(
    method: string,
    path: string,
    body?: unknown,
    headers?: Record<string, string>,
  ): Promise<Answer> {
    const answer = await this.call(method, path, body, headers);
    if (answer.error || answer.status >= 400)
      throw new Error(`${method} ${path}: ${answer.error || answer.text}`);
    return answer;
  }

  close(): void {
    this.#agent.destroy();
  }
}
