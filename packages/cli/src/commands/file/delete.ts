import { deleteFile } from '@lxd-ts/client';
import { command } from '../../base/command.ts';
import { filePlace } from './places.ts';

export default command({
  usage: '[<remote>:]<instance>/<path>...',
  arity: [1, Infinity],
  description: 'Deletes files, links and empty directories of instances, running or not.',
  examples: [['file delete c1/tmp/a c1/tmp/b', 'Two files']],
  async run(shell, args) {
    const places = await Promise.all(args.map((text) => filePlace(shell, text, 'path')));
    for (const { context, instance, path } of places) await deleteFile(context.client, instance, path);
    return undefined;
  },
});
