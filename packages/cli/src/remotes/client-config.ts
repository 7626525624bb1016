import { existsSync, readFileSync } from 'node:fs';
import { chmod, mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { LxdError } from '@lxd-ts/core';
import type { Io } from '../base/io.ts';
import { readPlainYaml, type PlainMap } from '../format/plain-yaml.ts';
import { firstRemotes, readRemote, staticRemotes, usualRemotes, writeRemote, type Remote } from './remote.ts';

type Environment = Io['env'];

/** The user's directory of remotes and certificates. It has the layout of LXD's client, and may be shared with it. */
export const configDir = (env: Environment): string =>
  env['LXD_TS_CONF'] ||
  env['LXD_CONF'] ||
  join(env['XDG_CONFIG_HOME'] || join(env['HOME'] || homedir(), '.config'), 'lxd-ts');

/** Remotes for every user of the machine. */
const globalFile = (env: Environment): string =>
  join(env['LXD_TS_GLOBAL_CONF'] || env['LXD_GLOBAL_CONF'] || '/etc/lxd-ts', 'config.yml');

function readIfThere(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return '';
    throw new LxdError('invalid', `Cannot read ${path}: ${(error as Error).message}`, { cause: error });
  }
}

/**
 * Whether a command that names no remote means the daemon of this machine, in no particular project. Tells it without
 * a YAML parser, which most commands then do not have to load.
 */
export function meansLocal(text: string): boolean {
  const { 'default-remote': name = 'local', remotes = {} } = readPlainYaml(text) ?? { 'default-remote': '' };
  const { local = {} } = remotes as PlainMap;
  return name === 'local' && !Object.hasOwn(local as PlainMap, 'project');
}

/** The remotes a user knows, in `config.yml`. */
export class ClientConfig {
  readonly dir: string;
  readonly remotes: Map<string, Remote>;
  defaultRemote: string;
  /** What else the file says, kept as it is. */
  readonly #document: Record<string, unknown>;

  private constructor(dir: string, document: Record<string, unknown>, global: Record<string, unknown>) {
    this.dir = dir;
    this.#document = document;
    this.defaultRemote =
      typeof document['default-remote'] === 'string' ? document['default-remote'] : 'local';
    const own = document['remotes'] as Record<string, unknown> | undefined;
    this.remotes = new Map<string, Remote>(own === undefined ? Object.entries(firstRemotes) : []);
    const shared = (global['remotes'] ?? {}) as Record<string, unknown>;
    for (const [name, value] of Object.entries(shared)) this.remotes.set(name, readRemote(value, true));
    for (const [name, value] of Object.entries(own ?? {})) this.remotes.set(name, readRemote(value, false));
    for (const [name, built] of Object.entries(usualRemotes))
      if (!this.remotes.has(name)) this.remotes.set(name, built);
    for (const [name, built] of Object.entries(staticRemotes)) {
      this.remotes.set(name, { ...built, project: this.remotes.get(name)?.project ?? '' });
    }
  }

  static async load(env: Environment): Promise<ClientConfig> {
    const dir = configDir(env);
    const read = async (path: string): Promise<Record<string, unknown>> => {
      const text = readIfThere(path);
      return readPlainYaml(text) ?? (await import('../format/yaml.ts')).mapFromYaml(text);
    };
    return new ClientConfig(dir, await read(join(dir, 'config.yml')), await read(globalFile(env)));
  }

  /** A command that names no remote, without loading what it does not need. */
  static isPlainLocal(env: Environment): boolean {
    return meansLocal(readIfThere(join(configDir(env), 'config.yml')));
  }

  get(name: string): Remote {
    const found = this.remotes.get(name);
    if (!found) throw new LxdError('not-found', `The remote "${name}" doesn't exist`);
    return found;
  }

  /** The same for commands about remotes themselves, which change it. */
  own(name: string): Remote {
    const found = this.remotes.get(name);
    if (!found) throw new LxdError('not-found', `Remote ${name} doesn't exist`);
    if (found.static) throw new LxdError('invalid', `Remote ${name} is static and cannot be modified`);
    if (found.global) throw new LxdError('invalid', `Remote ${name} is global and cannot be modified`);
    return found;
  }

  async save(): Promise<void> {
    const remotes = [...this.remotes]
      .filter(([name, one]) => !one.global && (!one.static || name === 'local' || one.project !== ''))
      .sort(([a], [b]) => (a < b ? -1 : 1));
    const document = {
      ...this.#document,
      'default-remote': this.defaultRemote,
      remotes: Object.fromEntries(remotes.map(([name, one]) => [name, writeRemote(one)])),
      aliases: this.#document['aliases'] ?? {},
    };
    const { toYaml } = await import('../format/yaml.ts');
    await this.#write('config.yml', toYaml(document), 0o644);
  }

  #serverCertificate(remote: string): string {
    return join(this.dir, 'servercerts', `${remote}.crt`);
  }

  /** The certificate that a remote's server is known by, if one was accepted. */
  serverCertificate(remote: string): string | undefined {
    return readIfThere(this.#serverCertificate(remote)) || undefined;
  }

  async pin(remote: string, certificate: string): Promise<void> {
    await this.#write(join('servercerts', `${remote}.crt`), certificate, 0o644);
  }

  /** Certificate and secret of a remote that is no more. */
  async unpin(remote: string): Promise<void> {
    for (const path of [this.#serverCertificate(remote), this.#secret(remote)])
      await rm(path, { force: true });
  }

  async renamePin(from: string, to: string): Promise<void> {
    for (const pathOf of [
      (name: string) => this.#serverCertificate(name),
      (name: string) => this.#secret(name),
    ])
      if (existsSync(pathOf(from))) await rename(pathOf(from), pathOf(to));
  }

  #secret(remote: string): string {
    return join(this.dir, 'secrets', remote);
  }

  /** `USER:PASSWORD` for a registry, if it was told. */
  secret(remote: string): string | undefined {
    return readIfThere(this.#secret(remote)) || undefined;
  }

  async keepSecret(remote: string, secret: string): Promise<void> {
    await this.#write(join('secrets', remote), secret, 0o600);
  }

  /** Who this user is to servers; undefined before the first remote was added. */
  clientCertificate(): { cert: string; key: string } | undefined {
    const cert = readIfThere(join(this.dir, 'client.crt'));
    const key = cert === '' ? '' : readIfThere(join(this.dir, 'client.key'));
    return cert === '' || key === '' ? undefined : { cert, key };
  }

  /** An authority that certifies servers, where there is one. */
  authority(): string | undefined {
    return readIfThere(join(this.dir, 'client.ca')) || undefined;
  }

  async makeClientCertificate(owner: string, now: Date): Promise<void> {
    const { makeClientCertificate } = await import('./client-certificate.ts');
    const { cert, key } = makeClientCertificate(owner, now);
    await this.#write('client.key', key, 0o600);
    await this.#write('client.crt', cert, 0o644);
  }

  async #write(file: string, text: string, mode: number): Promise<void> {
    const path = join(this.dir, file);
    const fresh = `${path}.new`;
    await mkdir(dirname(path), { recursive: true, mode: 0o750 });
    await writeFile(fresh, text, { mode });
    await chmod(fresh, mode);
    await rename(fresh, path);
  }
}
