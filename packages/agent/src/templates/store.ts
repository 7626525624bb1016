import { lstat, mkdir, open, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { LxdError, type InstanceSpec } from '@lxd-ts/core';
import type { CallOptions, InstanceMetadata } from '@lxd-ts/rpc';
import { parse, stringify } from 'yaml';
import { rootPool, type AgentContext } from '../context.ts';
import { volumeOf } from '../instance/paths.ts';
import { readOwn } from '../read-own.ts';

const maxBytes = 1024 * 1024;

/** All of it or what was there before. */
async function writeOwn(path: string, content: string | Buffer): Promise<void> {
  const fresh = `${path}.lxd-ts-new`;
  await rm(fresh, { force: true });
  const file = await open(fresh, 'wx', 0o644);
  try {
    await file.writeFile(content);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(fresh, path);
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const seconds = (value: unknown): number => (typeof value === 'number' ? Math.trunc(value) : 0);
const texts = (value: unknown): Record<string, string> =>
  isObject(value) ? Object.fromEntries(Object.entries(value).map(([name, one]) => [name, String(one)])) : {};

function templatesOf(value: unknown): InstanceMetadata['templates'] {
  if (!isObject(value)) return null;
  return Object.fromEntries(
    Object.entries(value).map(([path, one]) => {
      const { when, create_only, template, properties } = isObject(one) ? one : {};
      return [
        path,
        {
          when: Array.isArray(when) ? when.map(String) : [],
          create_only: create_only === true,
          template: typeof template === 'string' ? template : '',
          properties: texts(properties),
        },
      ];
    }),
  );
}

/** @throws LxdError `invalid` */
function metadataOf(text: string): InstanceMetadata {
  let value: unknown;
  try {
    value = parse(text, { maxAliasCount: 20 });
  } catch (error) {
    const why = error instanceof Error ? error.message.split('\n')[0] : String(error);
    throw new LxdError('invalid', `The instance's metadata.yaml is not YAML: ${why ?? ''}`);
  }
  const { architecture, creation_date, expiry_date, properties, templates } = isObject(value) ? value : {};
  return {
    architecture: typeof architecture === 'string' ? architecture : '',
    creation_date: seconds(creation_date),
    expiry_date: seconds(expiry_date),
    properties: texts(properties),
    templates: templatesOf(templates),
  };
}

/** @throws LxdError `internal`, as LXD */
function checked(name: string): string {
  if (name === '' || name === '.' || name === '..' || /[/\0]/.test(name))
    throw new LxdError('internal', 'Invalid template filename');
  return name;
}

/** `metadata.yaml` and the templates beside an instance's root, where it cannot reach them. */
export class TemplateStore {
  readonly #dir: string;

  /** @param dir of the instance's volume */
  constructor(dir: string) {
    this.#dir = dir;
  }

  /** Works with an instance's, whether it runs or not. */
  static async within<T>(
    context: AgentContext,
    spec: InstanceSpec,
    { signal }: CallOptions,
    work: (store: TemplateStore) => Promise<T>,
  ): Promise<T> {
    const pool = await context.pools.open(rootPool(spec), { signal });
    await using use = await pool.useVolume(volumeOf(spec), { signal, besideRoot: true });
    return await work(new TemplateStore(use.path));
  }

  get #templates(): string {
    return join(this.#dir, 'templates');
  }

  /** Whether there is a directory for them that is none of somebody else's. */
  async #exist(): Promise<boolean> {
    const found = await lstat(this.#templates).catch(() => undefined);
    return found?.isDirectory() === true;
  }

  /** As it is written; undefined: there is none. */
  async text(): Promise<string | undefined> {
    return (await readOwn(join(this.#dir, 'metadata.yaml'), maxBytes))?.toString();
  }

  async metadata(): Promise<InstanceMetadata> {
    return metadataOf((await this.text()) ?? '');
  }

  async setMetadata(metadata: InstanceMetadata): Promise<void> {
    await writeOwn(join(this.#dir, 'metadata.yaml'), stringify(metadata));
  }

  /** Names, sorted. */
  async list(): Promise<string[]> {
    if (!(await this.#exist())) return [];
    const entries = await readdir(this.#templates, { withFileTypes: true });
    return entries
      .filter((entry) => entry.isFile())
      .map(({ name }) => name)
      .sort();
  }

  /** @throws LxdError `not-found` */
  async read(name: string): Promise<Buffer> {
    const path = join(this.#templates, checked(name));
    const content = (await this.#exist()) ? await readOwn(path, maxBytes) : undefined;
    if (!content) throw new LxdError('not-found', `Template "${name}" not found`);
    return content;
  }

  async write(name: string, content: Buffer): Promise<void> {
    const path = join(this.#templates, checked(name));
    if (content.length > maxBytes) throw new LxdError('invalid', 'A template is larger than 1 MiB');
    if (!(await this.#exist())) await mkdir(this.#templates, { mode: 0o755 });
    await writeOwn(path, content);
  }

  /** @throws LxdError `not-found` */
  async delete(name: string): Promise<void> {
    await this.read(name);
    await rm(join(this.#templates, name));
  }
}
