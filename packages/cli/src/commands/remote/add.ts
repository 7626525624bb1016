import { LxdError } from '@lxd-ts/core';
import { command } from '../../base/command.ts';
import type { Shell } from '../../base/shell.ts';
import { parseAddress } from '../../remotes/address.ts';
import type { ClientConfig } from '../../remotes/client-config.ts';
import { addRegistry } from '../../remotes/add-registry.ts';
import { parseToken } from '../../remotes/token.ts';
import {
  acceptCertificate,
  chooseProject,
  earnTrust,
  ensureClientCertificate,
  redeemToken,
} from '../../remotes/trust.ts';
import type { Remote } from '../../remotes/remote.ts';

/** The name becomes that of a file, and is told from what is on the remote by a colon. */
export function checkRemoteName(name: string): void {
  if (name.includes(':')) throw new LxdError('invalid', 'Remote names may not contain colons');
  if (name === '' || name.startsWith('.') || name.startsWith('-') || /[/\s]/.test(name) || name.length > 200)
    throw new LxdError('invalid', `Invalid remote name "${name}"`);
}

/** The host alone, where a server is to be called by it. */
const hostOf = (text: string): string =>
  parseAddress(text, 'lxd')
    .replace(/^\w+:\/\//, '')
    .replace(/:\d+$/, '')
    .replaceAll(/[[\]]/g, '')
    .replaceAll(':', '-');

interface AddFlags {
  'accept-certificate': boolean;
  password: string | undefined;
  project: string | undefined;
  public: boolean;
}

async function addLxd(
  shell: Shell,
  config: ClientConfig,
  name: string,
  text: string,
  flags: AddFlags,
): Promise<Partial<Remote>> {
  const common = { authType: 'tls', project: 'default' };
  const token = parseToken(text);
  if (token) {
    await ensureClientCertificate(shell, config);
    const { url, certificate } = await redeemToken(shell, config, token, text);
    await config.pin(name, certificate);
    const server = { url, pinned: certificate };
    return { ...common, addr: url, project: await chooseProject(shell, config, server, flags.project) };
  }
  const url = parseAddress(text, 'lxd');
  if (url.startsWith('unix:')) return { ...common, addr: url, project: flags.project ?? 'default' };
  if (!flags.public) await ensureClientCertificate(shell, config);
  const pinned = await acceptCertificate(shell, config, url, flags['accept-certificate']);
  if (pinned !== undefined) await config.pin(name, pinned);
  if (flags.public) return { addr: url, public: true };
  await earnTrust(shell, config, { name, url, pinned }, flags.password);
  return {
    ...common,
    addr: url,
    project: await chooseProject(shell, config, { url, pinned }, flags.project),
  };
}

export default command({
  usage: '[<remote>] <address>|<url>|<token>',
  arity: [1, 2],
  description: `Gives a server a name, by which commands then reach it. The server must come to trust this client: by a token
from "lxd-ts config trust add" there, or by its password. Its certificate is shown once, and from then on the server
must show the same.`,
  examples: [
    ['remote add far eyJjbGllbnRfbmFtZS…', 'By a token'],
    ['remote add far 10.0.0.7 --password secret', 'By its password; asks about its certificate'],
    ['remote add pictures https://example.org/images --protocol simplestreams', 'A server of images'],
    ['remote add reg https://registry.example.org:5000 --protocol oci', 'An OCI registry'],
    ['remote add reg https://registry.example.org --protocol oci --username me', 'One that asks who comes'],
  ],
  flags: {
    'accept-certificate': { kind: 'boolean', help: "Don't ask about the server's certificate" },
    'auth-type': { kind: 'string', value: 'tls', help: 'How to authenticate (tls)' },
    password: {
      kind: 'string',
      value: 'password',
      help: "The server's trust password, or a registry's user's",
    },
    project: { kind: 'string', value: 'name', help: 'Project to use with this remote' },
    protocol: {
      kind: 'string',
      value: 'lxd|simplestreams|oci',
      help: 'What the server speaks (default lxd)',
    },
    public: { kind: 'boolean', help: 'A server from which images are fetched, nothing else' },
    username: { kind: 'string', value: 'user', help: 'Who fetches images from a registry' },
  },
  async run(shell, [first = '', second], flags) {
    const protocol = flags.protocol ?? 'lxd';
    if (protocol !== 'lxd' && protocol !== 'simplestreams' && protocol !== 'oci')
      throw new LxdError('invalid', `Invalid protocol: ${protocol}`);
    if (flags.username !== undefined && protocol !== 'oci')
      throw new LxdError('invalid', '--username is for OCI registries');
    const auth = flags['auth-type'];
    if (auth !== undefined && auth !== 'tls')
      throw new LxdError('invalid', `Invalid authentication type "${auth}": it must be tls`);
    const text = second ?? first;
    const token = second === undefined && protocol === 'lxd' ? parseToken(first) : undefined;
    const name =
      second !== undefined
        ? first
        : token
          ? hostOf(token.addresses[0] ?? '')
          : protocol === 'lxd'
            ? hostOf(first)
            : first;
    checkRemoteName(name);
    const config = await shell.config();
    const known = config.remotes.get(name);
    if (known) throw new LxdError('conflict', `Remote ${name} exists as <${known.addr}>`);
    const remote: Remote = {
      addr: '',
      protocol,
      public: protocol !== 'lxd',
      authType: '',
      project: '',
      static: false,
      global: false,
    };
    try {
      const details =
        protocol === 'simplestreams'
          ? { addr: parseAddress(text, protocol) }
          : protocol === 'oci'
            ? await addRegistry(shell, config, { name, addr: parseAddress(text, protocol) }, flags)
            : await addLxd(shell, config, name, text, flags);
      config.remotes.set(name, { ...remote, ...details });
      await config.save();
    } catch (error) {
      await config.unpin(name);
      throw error;
    }
    return undefined;
  },
});
