import { LxdError } from '@lxd-ts/core';
import { Client, type Endpoint } from '@lxd-ts/client';
import { ClientConfig } from '../remotes/client-config.ts';
import { endpointOf, localEndpoint } from '../remotes/endpoint.ts';
import type { Remote } from '../remotes/remote.ts';
import type { Catalogue } from './command.ts';
import { Context } from './context.ts';
import type { Io } from './io.ts';
import { Progress } from './progress.ts';

export interface GlobalFlags {
  project: string | undefined;
  quiet: boolean;
  verbose: boolean;
  debug: boolean;
  forceLocal: boolean;
}

/** A server and the name of something on it, as people write them: `remote:name`. */
export type Place = [context: Context, name: string];

/** What a handler works with: the terminal, and the servers that its arguments name. */
export class Shell {
  readonly io: Io;
  readonly globals: GlobalFlags;
  /** For commands about commands. */
  readonly catalogue: Catalogue;
  #config: Promise<ClientConfig> | undefined;
  readonly #contexts = new Map<string, Promise<Context>>();

  constructor(io: Io, globals: GlobalFlags, catalogue: Catalogue) {
    this.io = io;
    this.globals = globals;
    this.catalogue = catalogue;
  }

  /** The remotes that this user knows. */
  config(): Promise<ClientConfig> {
    this.#config ??= ClientConfig.load(this.io.env);
    return this.#config;
  }

  /** The server to use when none is named. */
  async default(): Promise<Context> {
    if (this.globals.forceLocal) return this.on('local');
    const plain = ClientConfig.isPlainLocal(this.io.env);
    return this.on(plain ? 'local' : (await this.config()).defaultRemote);
  }

  /** A server by its remote's name; it must be one that runs instances. */
  async on(remote: string): Promise<Context> {
    let found = this.#contexts.get(remote);
    if (!found) {
      found = this.#connect(remote);
      this.#contexts.set(remote, found);
    }
    return found;
  }

  async #connect(remote: string): Promise<Context> {
    const { env } = this.io;
    if (remote === 'local' && ClientConfig.isPlainLocal(env))
      return this.context('local', localEndpoint(env), '');
    const config = await this.config();
    const known = config.get(remote);
    if (known.public || known.protocol !== 'lxd')
      throw new LxdError('invalid', "The remote isn't a private LXD server");
    return this.#open(config, remote, known);
  }

  #open(config: ClientConfig, name: string, remote: Remote): Context {
    return this.context(name, endpointOf(config, name, remote, this.io.env), remote.project);
  }

  /** A server by its remote's name that need only have images to give. */
  async #imageServer(remote: string): Promise<Context> {
    const config = await this.config();
    const known = config.get(remote);
    if (known.protocol === 'oci') {
      const { RegistryClient } = await import('../remotes/registry-client.ts');
      const [certificate, secret] = [config.serverCertificate(remote), config.secret(remote)];
      return new Context(this, remote, new RegistryClient(known.addr, { certificate, secret }));
    }
    if (known.protocol !== 'lxd') {
      const { StreamClient } = await import('../remotes/stream-client.ts');
      return new Context(this, remote, new StreamClient(known.addr));
    }
    if (!known.public) return this.on(remote);
    const context = this.#open(config, remote, known);
    this.#contexts.set(`image:${remote}`, Promise.resolve(context));
    return context;
  }

  /** `[remote:]image`, on a server that need only have images to give. */
  async image(text: string | undefined): Promise<Place> {
    const [remote, name] = await this.split(text ?? '');
    if (name === '') throw new LxdError('invalid', 'Missing image name');
    return [remote === undefined ? await this.default() : await this.#imageServer(remote), name];
  }

  context(remote: string, endpoint: Endpoint, project: string): Context {
    const { globals, io } = this;
    const told = globals.debug || globals.verbose;
    const client = new Client({
      endpoint,
      project: globals.project ?? (project === '' ? undefined : project),
      ...(told
        ? { onRequest: (method, path, status) => io.stderr.write(`DEBUG ${method} ${path} ${status}\n`) }
        : {}),
    });
    return new Context(this, remote, client);
  }

  /** `[remote:]name`; the name may be empty. */
  async split(text: string): Promise<[remote: string | undefined, name: string]> {
    const colon = text.indexOf(':');
    if (colon < 0) return [undefined, text];
    const remote = text.slice(0, colon);
    if (remote !== 'local' && !(await this.config()).remotes.has(remote)) {
      // Snapshots may have colons in their names.
      if (remote.includes('/')) return [undefined, text];
      throw new LxdError('not-found', `The remote "${remote}" doesn't exist`);
    }
    return [remote, text.slice(colon + 1)];
  }

  /** The server and the name that `[remote:]name` means. */
  async parse(text: string | undefined): Promise<Place> {
    const [remote, name] = await this.split(text ?? '');
    return [remote === undefined ? await this.default() : await this.on(remote), name];
  }

  /** The same where a name must be given. @param what is named, for the error */
  async require(text: string | undefined, what: string): Promise<Place> {
    const [context, name] = await this.parse(text);
    if (name === '') throw new LxdError('invalid', `Missing ${what} name`);
    return [context, name];
  }

  /** `[remote:] rest...`: a first word with a colon names the server. */
  async remoteFirst(
    args: readonly string[],
    need: 'instances' | 'images' = 'instances',
  ): Promise<[Context, readonly string[]]> {
    const [first, ...rest] = args;
    if (first === undefined || !/^[^=:/]+:[^=]*$/.test(first)) return [await this.default(), args];
    const [remote, name] = await this.split(first);
    const server = need === 'images' ? this.#imageServer(remote ?? '') : this.on(remote ?? '');
    return [await server, name === '' ? rest : [name, ...rest]];
  }

  /** `[remote:]` and nothing else. */
  async onlyRemote(args: readonly string[]): Promise<Context> {
    const [context, [extra]] = await this.remoteFirst(args);
    if (extra !== undefined)
      throw new LxdError(
        'invalid',
        `Unexpected argument "${extra}": a remote is written with a colon at its end`,
      );
    return context;
  }

  /** Said at once, unless `--quiet`: what a command does, before it does it. */
  say(text: string): void {
    if (!this.globals.quiet) this.io.stdout.write(`${text}\n`);
  }

  progress(label: string): Progress {
    return new Progress(this.io.stderr, this.io.stderrIsTty && !this.globals.quiet, label);
  }

  async close(): Promise<void> {
    for (const pending of this.#contexts.values()) {
      const [result] = await Promise.allSettled([pending]);
      if (result.status === 'fulfilled') result.value.client.close();
    }
  }
}
