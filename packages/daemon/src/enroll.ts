import { request as httpsRequest } from 'node:https';
import { connect, type TLSSocket } from 'node:tls';
import { LxdError, toLxdError } from '@lxd-ts/core';
import { createRequest, splitAddress, type Identity } from '@lxd-ts/rpc';

/** What a cluster tells a member that it takes in. */
export interface Enrolled {
  identity: Identity;
  controlPlane: string[];
}

interface Reply {
  error?: string;
  error_code?: number;
  metadata?: { certificate: string; authority: string; control_plane: string[] };
}

const timeoutMs = 30_000;
const codes: Readonly<Record<number, LxdError['code']>> = {
  400: 'invalid',
  403: 'forbidden',
  409: 'conflict',
};

/** To a server that shows exactly the certificate we expect. */
function pinned(address: string, fingerprint: string): Promise<TLSSocket> {
  const { host, port } = splitAddress(address);
  return new Promise((resolve, reject) => {
    // The certificate is nobody's but its own: it is known by its fingerprint.
    const socket = connect({
      host,
      port,
      rejectUnauthorized: false,
      minVersion: 'TLSv1.3',
      timeout: timeoutMs,
    });
    socket.once('error', reject);
    socket.once('timeout', () => socket.destroy(new Error('no answer')));
    socket.once('secureConnect', () => {
      const shown = socket.getPeerCertificate().fingerprint256.replaceAll(':', '').toLowerCase();
      if (shown === fingerprint.toLowerCase()) resolve(socket);
      else
        socket.destroy(new LxdError('forbidden', `Certificate fingerprint mismatch at ${address}: ${shown}`));
    });
  });
}

async function post(address: string, fingerprint: string, path: string, body: unknown): Promise<Reply> {
  const socket = await pinned(address, fingerprint);
  try {
    return await new Promise<Reply>((resolve, reject) => {
      const text = JSON.stringify(body);
      const request = httpsRequest(
        {
          method: 'POST',
          path,
          host: address,
          headers: { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(text) },
          createConnection: () => socket,
        },
        (response) => {
          let answer = '';
          response.setEncoding('utf8').on('data', (part: string) => (answer += part));
          response.once('error', reject).once('end', () => {
            try {
              resolve(JSON.parse(answer) as Reply);
            } catch (error) {
              reject(new Error('the answer is no JSON', { cause: error }));
            }
          });
        },
      );
      request.once('error', reject).end(text);
    });
  } finally {
    socket.destroy();
  }
}

export interface EnrollRequest {
  serverName: string;
  /** `HOST:PORT` of the new member. */
  address: string;
  /** Of the cluster's members, tried in order. */
  addresses: readonly string[];
  /** SHA-256 of the cluster's certificate. */
  fingerprint: string;
  /** Of the join token. */
  secret: string;
  memberConfig: readonly unknown[];
  /** Whether it may become a member of the control plane. */
  eligible: boolean;
}

/**
 * Exchanges a join token's secret for a place in the cluster; the new member's key never leaves this machine.
 * @throws LxdError
 */
export async function enroll(request: EnrollRequest): Promise<Enrolled> {
  const { serverName, address, addresses, fingerprint, secret, memberConfig, eligible } = request;
  const { key, request: certificateRequest } = await createRequest();
  const failures: string[] = [];
  for (const to of addresses) {
    let reply: Reply;
    try {
      reply = await post(to, fingerprint, '/internal/cluster/enroll', {
        server_name: serverName,
        secret,
        address,
        certificate_request: certificateRequest,
        member_config: memberConfig,
        eligible,
      });
    } catch (error) {
      failures.push(`${to}: ${toLxdError(error).message}`);
      continue;
    }
    if (!reply.metadata) {
      throw new LxdError(codes[reply.error_code ?? 500] ?? 'internal', reply.error ?? 'The cluster refused');
    }
    const { certificate, authority, control_plane: controlPlane } = reply.metadata;
    return { identity: { authority, certificate, key }, controlPlane };
  }
  throw new LxdError('unavailable', `Could not join the cluster: ${failures.join('; ')}`);
}
