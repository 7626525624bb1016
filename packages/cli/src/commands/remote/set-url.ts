import { command } from '../../base/command.ts';
import { parseAddress } from '../../remotes/address.ts';

export default command({
  usage: '<remote> <url>',
  arity: [2, 2],
  description:
    'Changes the address of a remote. The server must be the same: its certificate is expected still.',
  examples: [['remote set-url far https://10.0.0.8:8443', 'It has moved there']],
  async run(shell, [name = '', url = '']) {
    const config = await shell.config();
    const remote = config.own(name);
    config.remotes.set(name, { ...remote, addr: parseAddress(url, remote.protocol) });
    await config.save();
    return undefined;
  },
});
