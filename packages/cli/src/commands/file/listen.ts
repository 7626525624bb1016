import { generateKeyPairSync, randomBytes, timingSafeEqual, createHash } from 'node:crypto';
import { pipeline } from 'node:stream/promises';
import { isIP, type AddressInfo } from 'node:net';
import { LxdError, toLxdError } from '@lxd-ts/core';
import { openSftp, type Client } from '@lxd-ts/client';
import ssh from 'ssh2';
import { apiPath } from '../../base/names.ts';
import type { Shell } from '../../base/shell.ts';

export interface ListenOptions {
  /** `ADDRESS:PORT`; port 0 or none: any that is free. */
  address: string;
  user: string | undefined;
  /** Let everybody in. */
  open: boolean;
}

/** @throws LxdError `invalid` */
export function listenAddress(text: string): { host: string; port: number } {
  const { host = '', port = '' } = /^(?<host>.*):(?<port>\d*)$/.exec(text)?.groups ?? {};
  const plain = host.replace(/^\[(.*)\]$/, '$1');
  if (
    !text.includes(':') ||
    Number(port) > 65_535 ||
    (plain !== '' && plain !== 'localhost' && isIP(plain) === 0)
  )
    throw new LxdError('invalid', `"--listen" wants ADDRESS:PORT, e.g. 127.0.0.1:2222, not "${text}"`);
  return { host: plain, port: Number(port) };
}

const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
const secret = (): string => randomBytes(9).toString('base64url');

/** Serves the files of an instance over SSH, and nothing else, until the command is ended. */
export async function listen(
  shell: Shell,
  client: Client,
  instance: string,
  { address, user = secret(), open }: ListenOptions,
): Promise<void> {
  const { host, port } = listenAddress(address);
  // Who asks for files of nothing hears of it now, and not from each client.
  await client.get(apiPath('instances', instance));
  const password = secret();
  const { privateKey } = generateKeyPairSync('ec', {
    namedCurve: 'P-256',
    privateKeyEncoding: { type: 'sec1', format: 'pem' },
    publicKeyEncoding: { type: 'spki', format: 'pem' },
  });
  const knows = (name: string, word: string) =>
    // Both are compared, and in the same time whatever they are.
    [timingSafeEqual(digest(name), digest(user)), timingSafeEqual(digest(word), digest(password))].every(
      Boolean,
    );

  const connections = new Set<ssh.Connection>();
  const server = new ssh.Server({ hostKeys: [privateKey] }, (connection) => {
    connections.add(connection);
    connection.once('close', () => connections.delete(connection));
    connection.on('error', () => undefined);
    connection.on('authentication', (asked) => {
      if (open || (asked.method === 'password' && knows(asked.username, asked.password))) asked.accept();
      else asked.reject(['password']);
    });
    connection.on('session', (accept) => {
      const session = accept();
      session.on('subsystem', (take, refuse, { name }) => {
        if (name !== 'sftp') {
          refuse();
          return;
        }
        const channel = take();
        openSftp(client, instance)
          .then((stream) =>
            Promise.all([pipeline(channel, stream), pipeline(stream, channel)]).finally(() =>
              stream.destroy(),
            ),
          )
          .catch((error: unknown) => {
            shell.say(toLxdError(error).message);
            channel.destroy();
          });
      });
    });
  });
  const over = Promise.withResolvers<void>();
  server.on('error', (error: Error) =>
    over.reject(new LxdError('unavailable', `Cannot listen on ${address}: ${error.message}`)),
  );
  const restores = (['SIGINT', 'SIGTERM'] as const).map((signal) =>
    shell.io.onSignal(signal, () => over.resolve()),
  );
  server.listen(port, host === '' ? undefined : host, () => {
    const { address: at, family, port: real } = server.address() as AddressInfo;
    shell.io.stdout.write(
      `The files of ${instance} are served by SFTP on ${family === 'IPv6' ? `[${at}]` : at}:${real}; ctrl+c ends it\n`,
    );
    // Without it nobody could come: --quiet does not keep it back.
    shell.io.stdout.write(open ? 'Everybody is let in\n' : `User "${user}", password "${password}"\n`);
  });
  try {
    await over.promise;
  } finally {
    for (const restore of restores) restore();
    for (const connection of connections) connection.end();
    server.close();
  }
}
