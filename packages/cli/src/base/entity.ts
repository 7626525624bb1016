import { command, type LoadedCommand } from './command.ts';
import type { Context } from './context.ts';
import { edit } from './editor.ts';
import { parseSettings } from './key-values.ts';
import { notice, textOutput, yamlOutput } from './output.ts';

export interface Configured {
  config: Record<string, string>;
  description: string;
}

/** A kind of thing that has a name and a configuration: profiles, networks, storage pools. */
export interface Entity {
  /** As the API's paths spell it, e.g. `storage-pools`. */
  collection: string;
  /** In messages, e.g. `storage pool`. */
  noun: string;
  /** The words of its commands, e.g. `storage`. */
  words: string;
  /** What stands for its name in usage lines, where that is not its words. */
  argument?: string;
  /** The fields that may be changed. */
  editable: readonly string[];
}

const entityPath = (collection: string, name: string): string =>
  `/1.0/${collection}/${encodeURIComponent(name)}`;

const pick = (value: object, keys: readonly string[]): Record<string, unknown> =>
  Object.fromEntries(Object.entries(value).filter(([key]) => keys.includes(key)));

export const capitalised = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);

/** Reads, changes and writes back; refused when somebody else wrote in between. */
export async function update(
  context: Context,
  path: string,
  editable: readonly string[],
  change: (current: Configured) => void,
  query: Readonly<Record<string, string | undefined>> = {},
): Promise<void> {
  const { metadata, etag } = await context.client.getWithEtag<Configured>(path, { query });
  change(metadata);
  await context.change('PUT', path, { body: pick(metadata, editable), etag, query });
}

/** `edit`: the fields that may be changed are sent back, whatever else the text holds. */
export async function editRecord(
  context: Context,
  path: string,
  editable: readonly string[],
  hint: string,
  query: { target?: string | undefined } = {},
): Promise<void> {
  const { fromTerminal, etag, text } = await currentText(context, path, editable, hint, query);
  await edit(context, text, async (changed) => {
    const { mapFromYaml } = await import('../format/yaml.ts');
    const body = pick(mapFromYaml(changed), editable);
    await context.change('PUT', path, { body, etag: fromTerminal ? etag : undefined, query });
  });
}

async function currentText(
  context: Context,
  path: string,
  editable: readonly string[],
  hint: string,
  query: { target?: string | undefined },
) {
  const fromTerminal = context.io.stdinIsTty;
  if (!fromTerminal) return { fromTerminal, etag: '', text: '' };
  const { metadata, etag } = await context.client.getWithEtag<Configured>(path, { query });
  const { toYaml } = await import('../format/yaml.ts');
  const comment = `### ${hint}\n### Lines that begin with # are ignored.\n\n`;
  return { fromTerminal, etag, text: comment + toYaml(pick(metadata, editable)) };
}

const targetFlag = { target: { kind: 'string', value: 'member', help: 'Cluster member' } } as const;

export const showCommand = ({ collection, noun, words, argument = words }: Entity): LoadedCommand =>
  command({
    usage: `[<remote>:]<${argument}>`,
    arity: [1, 1],
    description: `Shows a ${noun} as YAML.`,
    examples: [[`${words} show default`, `Show the ${noun} "default"`]],
    flags: targetFlag,
    run: async (shell, [arg], { target }) => {
      const [{ client }, name] = await shell.require(arg, noun);
      return yamlOutput(await client.get(entityPath(collection, name), { query: { target } }));
    },
  });

export const getCommand = ({ collection, noun, words, argument = words }: Entity): LoadedCommand =>
  command({
    usage: `[<remote>:]<${argument}> <key>`,
    arity: [2, 2],
    description: `Shows the value of one configuration key of a ${noun}.`,
    flags: targetFlag,
    run: async (shell, [arg, key = ''], { target }) => {
      const [{ client }, name] = await shell.require(arg, noun);
      const { config } = await client.get<Configured>(entityPath(collection, name), { query: { target } });
      return textOutput(config[key] ?? '');
    },
  });

export const setCommand = ({ collection, noun, words, argument = words, editable }: Entity): LoadedCommand =>
  command({
    usage: `[<remote>:]<${argument}> <key>=<value>...`,
    arity: [2, Infinity],
    description: `Sets configuration keys of a ${noun}. One key may also be given as two words: <key> <value>.`,
    examples: [[`${words} set default user.note=mine`, 'Set one key']],
    flags: targetFlag,
    run: async (shell, [arg, ...rest], { target }) => {
      const settings = parseSettings(rest);
      const [context, name] = await shell.require(arg, noun);
      const path = entityPath(collection, name);
      await update(context, path, editable, ({ config }) => Object.assign(config, settings), { target });
      return undefined;
    },
  });

export const unsetCommand = ({
  collection,
  noun,
  words,
  argument = words,
  editable,
}: Entity): LoadedCommand =>
  command({
    usage: `[<remote>:]<${argument}> <key>`,
    arity: [2, 2],
    description: `Removes a configuration key of a ${noun}.`,
    flags: targetFlag,
    run: async (shell, [arg, key = ''], { target }) => {
      const [context, name] = await shell.require(arg, noun);
      const path = entityPath(collection, name);
      // An empty value means "unset" in every configuration, and lets the server refuse a key that it does not know.
      await update(context, path, editable, ({ config }) => Object.assign(config, { [key]: '' }), { target });
      return undefined;
    },
  });

export const editCommand = ({ collection, noun, words, argument = words, editable }: Entity): LoadedCommand =>
  command({
    usage: `[<remote>:]<${argument}>`,
    arity: [1, 1],
    description: `Opens a ${noun} in your editor ($VISUAL or $EDITOR), or reads it as YAML from stdin.`,
    examples: [
      [`${words} edit default`, 'Edit it'],
      [`${words} edit default < file.yaml`, 'Replace it by what a file says'],
    ],
    run: async (shell, [arg]) => {
      const [context, name] = await shell.require(arg, noun);
      await editRecord(context, entityPath(collection, name), editable, `The ${noun} "${name}".`);
      return undefined;
    },
  });

export const deleteCommand = ({ collection, noun, words, argument = words }: Entity): LoadedCommand =>
  command({
    usage: `[<remote>:]<${argument}>`,
    arity: [1, 1],
    description: `Deletes a ${noun} that nothing uses.`,
    run: async (shell, [arg]) => {
      const [context, name] = await shell.require(arg, noun);
      await context.change('DELETE', entityPath(collection, name));
      return notice(`${capitalised(noun)} ${name} deleted`);
    },
  });
