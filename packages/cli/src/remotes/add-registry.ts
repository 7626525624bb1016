import { connect } from 'node:tls';
import { isIP } from 'node:net';
import { loadTls } from '@lxd-ts/client';
import { isDockerHub, LxdError, parseOciCredentials } from '@lxd-ts/core';
import { promptSecret } from '../base/prompt.ts';
import type { Shell } from '../base/shell.ts';
import type { ClientConfig } from './client-config.ts';
import { registryTransport } from './registry-transport.ts';
import type { Remote } from './remote.ts';
import { askAboutCertificate } from './trust.ts';

const timeoutMs = 30_000;

/** Whether it answers as a registry does, to whoever asks. @throws LxdError */
async function checkRegistry(addr: string, certificate: string | undefined): Promise<void> {
  const ask = registryTransport(addr, certificate);
  const url = new URL('/v2/', addr);
  const response = await ask(url, { method: 'GET', headers: {} }, AbortSignal.timeout(timeoutMs));
  response.destroy();
  const { statusCode = 0, headers } = response;
  const is =
    statusCode === 200 || statusCode === 401 || headers['docker-distribution-api-version'] !== undefined;
  if (!is)
    throw new LxdError('invalid', `${url.host} does not answer as an OCI registry (status ${statusCode})`);
}

/** What it shows, without trusting it. */
async function peek(addr: string): Promise<string> {
  const { hostname, port } = new URL(addr);
  const host = hostname.replace(/^\[|\]$/g, '');
  const shown = Promise.withResolvers<string>();
  const named = isIP(host) === 0 ? { servername: host } : {};
  const socket = connect({ host, port: Number(port || 443), ...named, rejectUnauthorized: false });
  socket.setTimeout(timeoutMs, () => socket.destroy(new Error('no answer')));
  socket.once('error', (error: Error) =>
    shown.reject(new LxdError('unavailable', `Cannot reach ${host}: ${error.message}`)),
  );
  socket.once('secureConnect', () => {
    const certificate = socket.getPeerX509Certificate();
    if (certificate) shown.resolve(certificate.toString());
    else shown.reject(new LxdError('unavailable', `${host} shows no certificate`));
  });
  try {
    return await shown.promise;
  } finally {
    socket.destroy();
  }
}

/** A registry under a name, with the certificate and the user by which it is known. @throws LxdError */
export async function addRegistry(
  shell: Shell,
  config: ClientConfig,
  { name, addr }: { name: string; addr: string },
  flags: { 'accept-certificate': boolean; username: string | undefined; password: string | undefined },
): Promise<Partial<Remote>> {
  const { username, password } = flags;
  if (password !== undefined && username === undefined)
    throw new LxdError('invalid', 'A password needs a --username');
  try {
    await checkRegistry(addr, undefined);
  } catch (error) {
    // Docker Hub is known by everybody.
    if (!(error instanceof LxdError) || error.code !== 'unavailable' || isDockerHub(addr)) throw error;
    const certificate = await peek(addr).catch(() => {
      throw error;
    });
    const { certificateFingerprint } = await loadTls();
    if (!flags['accept-certificate']) await askAboutCertificate(shell, certificateFingerprint(certificate));
    await checkRegistry(addr, certificate);
    await config.pin(name, certificate);
  }
  if (username !== undefined) {
    const secret = `${username}:${password ?? (await promptSecret(shell, `Password of ${username}: `))}`;
    if (parseOciCredentials(secret).user !== username)
      throw new LxdError('invalid', 'The name of a user of a registry cannot have a colon');
    await config.keepSecret(name, secret);
  }
  return { addr };
}
