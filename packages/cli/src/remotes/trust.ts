import { hostname, userInfo } from 'node:os';
import { LxdError } from '@lxd-ts/core';
import { Client, loadTls } from '@lxd-ts/client';
import { prompt, promptSecret } from '../base/prompt.ts';
import type { Shell } from '../base/shell.ts';
import type { ClientConfig } from './client-config.ts';
import type { Token } from './token.ts';

interface Hello {
  auth: string;
  api_extensions: string[] | null;
}

/** Makes the user's certificate where there is none yet. */
export async function ensureClientCertificate(shell: Shell, config: ClientConfig): Promise<void> {
  if (config.clientCertificate()) return;
  shell.io.stderr.write('Generating a client certificate. This may take a minute...\n');
  await config.makeClientCertificate(`${userInfo().username}@${hostname()}`, shell.io.now());
}

const clientFor = (config: ClientConfig, url: string, pinned: string | undefined): Client =>
  new Client({
    endpoint: {
      kind: 'https',
      url,
      tls: { pinned, authority: config.authority(), ...config.clientCertificate() },
    },
  });

/** Whether the system (or the authority that the user set) vouches for a server: then nobody needs to look. */
async function isVouchedFor(config: ClientConfig, url: string): Promise<boolean> {
  using client = new Client({ endpoint: { kind: 'https', url, tls: { authority: config.authority() } } });
  try {
    await client.request('GET', '/1.0');
    return true;
  } catch (error) {
    // An answer of any kind came over a connection that was trusted.
    return error instanceof LxdError && error.code !== 'unavailable' && error.code !== 'internal';
  }
}

export async function askAboutCertificate(shell: Shell, fingerprint: string): Promise<void> {
  shell.io.stdout.write(`Certificate fingerprint: ${fingerprint}\n`);
  let question = 'ok (y/n/[fingerprint])? ';
  for (;;) {
    const answer = (await prompt(shell, question)).toLowerCase();
    if (answer === fingerprint || answer === 'y' || answer === 'yes') return;
    if (answer === 'n' || answer === 'no' || answer === '')
      throw new LxdError('cancelled', 'Server certificate NACKed by user');
    question = "Please type 'y', 'n' or the fingerprint: ";
  }
}

/**
 * The certificate to know a server by, which the user has accepted; undefined where the system's authorities vouch for
 * it. @param accept it was accepted beforehand
 */
export async function acceptCertificate(
  shell: Shell,
  config: ClientConfig,
  url: string,
  accept: boolean,
): Promise<string | undefined> {
  const { peekCertificate, certificateFingerprint } = await loadTls();
  const certificate = await peekCertificate(url);
  if (await isVouchedFor(config, url)) return undefined;
  if (!accept) await askAboutCertificate(shell, certificateFingerprint(certificate));
  return certificate;
}

/** Lets the server trust us by a password or a token, if it does not do so already. */
export async function earnTrust(
  shell: Shell,
  config: ClientConfig,
  server: { name: string; url: string; pinned: string | undefined },
  password: string | undefined,
): Promise<void> {
  using client = clientFor(config, server.url, server.pinned);
  if ((await client.get<Hello>('/1.0')).auth === 'trusted') return;
  const secret = password ?? (await promptSecret(shell, `Admin password (or token) for ${server.name}: `));
  await client.change('POST', '/1.0/certificates', { body: { type: 'client', password: secret } });
  if ((await client.get<Hello>('/1.0')).auth !== 'trusted')
    throw new LxdError('forbidden', "Server doesn't trust us after authentication");
  shell.say(`Client certificate now trusted by server: ${server.name}`);
}

/** Uses a token: the first of its addresses that answers with the certificate it names. */
export async function redeemToken(
  shell: Shell,
  config: ClientConfig,
  token: Token,
  text: string,
): Promise<{ url: string; certificate: string }> {
  const failures: string[] = [];
  const attempt = async (address: string) => {
    const url = `https://${address}`;
    const { peekCertificate, certificateFingerprint } = await loadTls();
    const certificate = await peekCertificate(url, AbortSignal.timeout(10_000));
    if (certificateFingerprint(certificate) !== token.fingerprint.toLowerCase())
      throw new LxdError('forbidden', `the certificate is not the one that the token names`);
    return { url, certificate };
  };
  const found = async () => {
    for (const address of token.addresses) {
      try {
        return await attempt(address);
      } catch (error) {
        failures.push(`${address}: ${(error as Error).message}`);
      }
    }
    shell.io.stderr.write(`No address of the token worked:\n - ${failures.join('\n - ')}\n`);
    const other = await prompt(shell, 'Please provide an alternate server address (empty to abort): ');
    if (other === '') throw new LxdError('unavailable', 'Failed to find an alternate server address');
    return attempt(other.includes(':') ? other : `${other}:8443`);
  };
  const server = await found();
  using client = clientFor(config, server.url, server.certificate);
  const { api_extensions: extensions } = await client.get<Hello>('/1.0');
  const explicit = extensions?.includes('explicit_trust_token') ?? false;
  const body = { type: 'client', ...(explicit ? { trust_token: text } : { password: text }) };
  await client.change('POST', '/1.0/certificates', { body });
  return server;
}

/** The project to work in: the one asked for, the only one there is, or one that is chosen. */
export async function chooseProject(
  shell: Shell,
  config: ClientConfig,
  server: { url: string; pinned: string | undefined },
  asked: string | undefined,
): Promise<string> {
  using client = clientFor(config, server.url, server.pinned);
  if (asked !== undefined) {
    await client.get(`/1.0/projects/${encodeURIComponent(asked)}`);
    return asked;
  }
  let projects: { name: string }[];
  try {
    projects = await client.get<{ name: string }[]>('/1.0/projects', { query: { recursion: 1 } });
  } catch (error) {
    if (error instanceof LxdError && error.code === 'not-found') return 'default';
    throw error;
  }
  const names = projects.map(({ name }) => name);
  const [only] = names;
  if (names.length <= 1) return only ?? 'default';
  shell.io.stdout.write(`Available projects:\n${names.map((name) => ` - ${name}\n`).join('')}`);
  const preferred = names.includes('default') ? 'default' : (only ?? '');
  for (;;) {
    const answer =
      (await prompt(shell, `Name of the project to use for this remote [default=${preferred}]: `)) ||
      preferred;
    if (names.includes(answer)) return answer;
  }
}
