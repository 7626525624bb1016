import { command } from '../../base/command.ts';
import { apiPath } from '../../base/names.ts';

export default command({
  usage: '[<remote>:]<fingerprint>',
  arity: [1, 1],
  description: 'Takes the trust from a client. The start of its fingerprint is enough.',
  async run(shell, [arg]) {
    const [context, fingerprint] = await shell.require(arg, 'fingerprint');
    await context.change('DELETE', apiPath('certificates', fingerprint));
    return undefined;
  },
});
