import { posix } from 'node:path';
import { isTrue, LxdError, toLxdError, type InstanceSpec } from '@lxd-ts/core';
import { openFlags, SftpClient, type InstanceMetadata } from '@lxd-ts/rpc';
import type { AgentContext } from '../context.ts';
import { idmapLines, idmapOf } from '../instance/idmap.ts';
import { render, type Environment } from './render.ts';
import { TemplateStore } from './store.ts';
import { printed } from './values.ts';

export type Trigger = 'create' | 'copy' | 'rename' | 'start';

type Template = NonNullable<InstanceMetadata['templates']>[string];

/** What a template sees of its instance. */
function environment(spec: InstanceSpec, trigger: Trigger, path: string, template: Template): Environment {
  const { name, type, architecture, ephemeral, config, devices } = spec;
  const instance = {
    name,
    type,
    architecture,
    privileged: String(isTrue(config['security.privileged'])),
    ephemeral: String(ephemeral),
  };
  const { properties } = template;
  return {
    values: { trigger, path, instance, container: instance, config, devices, properties },
    functions: {
      config_get: (key, otherwise) => {
        const wanted = printed(key);
        return Object.hasOwn(config, wanted) ? config[wanted] : otherwise;
      },
    },
  };
}

const mode = { type: 0o170_000, file: 0o100_000 };
const missing = (error: unknown): undefined => {
  if (toLxdError(error).code !== 'not-found') throw error;
  return undefined;
};

async function makeParents(client: SftpClient, path: string): Promise<void> {
  const parent = posix.dirname(path);
  if (parent === '/' || (await client.stat(parent).catch(missing))) return;
  await makeParents(client, parent);
  await client.mkdir(parent, 0o755);
}

async function write(client: SftpClient, path: string, content: string, createOnly: boolean): Promise<void> {
  const found = await client.stat(path).catch(missing);
  if (found && createOnly) return;
  if (found && (found.mode & mode.type) !== mode.file)
    throw new LxdError('invalid', 'it is there, and no file');
  if (!found) await makeParents(client, path);
  const { write: writing, create, truncate } = openFlags;
  const handle = await client.open(path, writing | create | truncate, 0o644);
  await client.write(
    handle,
    (async function* () {
      yield Buffer.from(content);
    })(),
  );
  await client.closeFile(handle);
}

/**
 * Renders the image's templates that one of these triggers is for into the root of an instance that does not run. The files
 * are written from inside its id map and root, by the program that serves its files: no link leads out of it.
 * @param root held, and whether its files show with the host's ids already
 * @param triggers one after the other
 * @throws LxdError `invalid`, naming the file
 */
export async function applyTemplates(
  context: AgentContext,
  spec: InstanceSpec,
  root: { rootfs: string; mapped: boolean },
  triggers: readonly Trigger[],
  signal: AbortSignal,
): Promise<void> {
  const store = new TemplateStore(posix.dirname(root.rootfs));
  const text = await store.text();
  // Most have none: nothing is parsed nor started for them.
  if (!text?.includes('templates')) return;
  const { templates } = await store.metadata();
  const wanted = triggers.flatMap((trigger) =>
    Object.entries(templates ?? {})
      .filter(([, { when }]) => when.includes(trigger))
      .map(([path, template]) => ({ trigger, path: posix.join('/', path), template })),
  );
  if (wanted.length === 0) return;
  const request = { ...root, idmap: idmapLines(idmapOf(spec.config)) };
  await using session = await context.liblxc.files(request, { signal });
  const client = await SftpClient.open(session.stream);
  try {
    for (const { trigger, path, template } of wanted) {
      signal.throwIfAborted();
      try {
        const source = (await store.read(template.template)).toString();
        const content = render(source, environment(spec, trigger, path, template));
        await write(client, path, content, template.create_only);
      } catch (error) {
        const { code, message } = toLxdError(error);
        throw new LxdError(code, `Failed to apply the template of "${path}": ${message}`, { cause: error });
      }
    }
  } finally {
    client.close();
  }
}
