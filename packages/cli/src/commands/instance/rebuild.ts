import { LxdError } from '@lxd-ts/core';
import type { Instance, Operation } from '@lxd-ts/client';
import { command } from '../../base/command.ts';
import { apiPath } from '../../base/names.ts';
import { notice } from '../../base/output.ts';
import { locateImage, withImage } from '../../remotes/image-source.ts';

export default command({
  usage: '[<remote>:]<image> [<remote>:]<instance>',
  arity: [1, 2],
  description: `Makes the files of an instance anew, from an image or empty. Its configuration, devices and name stay; what was in
its root is lost. It must have no snapshots.`,
  examples: [
    ['rebuild debian c1', 'Begin again with the image "debian"'],
    ['rebuild debian c1 --force', 'The same with one that runs: it is stopped, and started again'],
    ['rebuild --empty c1', 'An empty root disk'],
  ],
  flags: {
    empty: { kind: 'boolean', help: 'An empty root disk' },
    force: { kind: 'boolean', short: 'f', help: 'Stop it where it runs, and start it again afterwards' },
  },
  async run(shell, args, { empty, force }) {
    if (empty && args.length > 1)
      throw new LxdError('invalid', '--empty cannot be combined with an image name');
    if (!empty && args.length < 2)
      throw new LxdError('invalid', 'An image and an instance are needed (or --empty)');
    const [image, place] = empty ? [undefined, args[0]] : args;
    const [context, name] = await shell.require(place, 'instance');
    const path = apiPath('instances', name);
    const { status } = await context.client.get<Instance>(path);
    const runs = status !== 'Stopped';
    const act = (action: string) =>
      context.change('PUT', `${path}/state`, { body: { action, force: true, timeout: -1 } });
    if (runs && force) await act('stop');
    const rebuild = async (source: object): Promise<Operation | undefined> =>
      context.wait(
        await context.client.change('POST', `${path}/rebuild`, { body: { source } }),
        'Rebuilding the instance',
      );
    await (image === undefined
      ? rebuild({ type: 'none' })
      : withImage(context, await locateImage(shell, image), rebuild));
    if (runs && force) await act('start');
    return notice(`Instance ${name} rebuilt`);
  },
});
