import { command } from '../../base/command.ts';
import { imagePath } from './find-image.ts';

export default command({
  usage: '[<remote>:]<image>...',
  arity: [1, Infinity],
  description: `Has the server look where images come from, and fetch those that there are newer versions of. A newer one takes the
place of the old one, under its names. Images copied with --auto-update are looked for by themselves.`,
  examples: [['image refresh debian', 'Fetch what the name "debian/12" means at its source by now']],
  async run(shell, args) {
    for (const arg of args) {
      const [context, name] = await shell.require(arg, 'image');
      const operation = await context.client.change('POST', `${await imagePath(context, name)}/refresh`);
      const ended = await context.wait(operation, `Refreshing ${arg}`);
      // At once: another may fail.
      context.say(
        `${arg}: ${ended?.metadata?.['refreshed'] === true ? 'refreshed successfully' : 'already up to date'}`,
      );
    }
    return undefined;
  },
});
