import { Agent, request as httpRequest, type IncomingMessage, type OutgoingHttpHeaders } from 'node:http';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Endpoint } from './endpoint.ts';
import { connectionError } from './connection-error.ts';

export interface RawRequest {
  method: string;
  /** Path and query. */
  path: string;
  headers?: OutgoingHttpHeaders;
  body?: string | Readable;
  signal?: AbortSignal | undefined;
}

/** Sends one request and resolves when the answer's head is there. */
export interface Transport {
  send(request: RawRequest): Promise<IncomingMessage>;
  close(): void;
}

/** An empty server name keeps node:http from working one out for TLS, which costs it 2 ms at the first request. */
const unixBase = (socketPath: string): object => ({ socketPath, servername: '' });

/** node:https is loaded only for an https endpoint: a local command does not pay for TLS. */
export function createTransport(endpoint: Endpoint): Transport {
  let unixAgent: Agent | undefined;
  let tlsAgent: Promise<{ agent: Agent; request: typeof httpRequest }> | undefined;

  const connect = async (): Promise<{ agent: Agent; request: typeof httpRequest; base: object }> => {
    if (endpoint.kind === 'unix') {
      unixAgent ??= new Agent({ keepAlive: true });
      return { agent: unixAgent, request: httpRequest, base: unixBase(endpoint.socketPath) };
    }
    tlsAgent ??= Promise.all([import('node:https'), import('./tls.ts')]).then(
      ([https, { tlsConnection }]) => ({
        agent: new https.Agent({ keepAlive: true, ...tlsConnection(endpoint.tls) }),
        request: https.request,
      }),
    );
    const { hostname, port } = new URL(endpoint.url);
    return {
      ...(await tlsAgent),
      base: { protocol: 'https:', hostname: hostname.replace(/^\[|\]$/g, ''), port: port || 443 },
    };
  };

  return {
    async send({ method, path, headers = {}, body, signal }) {
      const { agent, request, base } = await connect();
      const answer = Promise.withResolvers<IncomingMessage>();
      const outgoing = request({
        ...base,
        agent,
        method,
        path,
        headers: { host: endpoint.kind === 'unix' ? 'lxd' : new URL(endpoint.url).host, ...headers },
        signal,
      });
      outgoing.on('response', answer.resolve);
      outgoing.on('error', (error) => {
        answer.reject(connectionError(error, endpoint));
      });
      if (body === undefined || typeof body === 'string') outgoing.end(body);
      // A server may answer (and refuse) before it has read the whole body: then the answer counts, not our broken pipe.
      else
        pipeline(body, outgoing).catch((error: unknown) =>
          setTimeout(answer.reject, 100, connectionError(error, endpoint)),
        );
      return answer.promise;
    },
    close() {
      unixAgent?.destroy();
      void tlsAgent?.then(({ agent }) => {
        agent.destroy();
      });
    },
  };
}
