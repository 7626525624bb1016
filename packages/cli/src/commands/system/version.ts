import { LxdError } from '@lxd-ts/core';
import type { Server } from '@lxd-ts/client';
import { command } from '../../base/command.ts';
import { textOutput } from '../../base/output.ts';
import { version } from '../../version.ts';

export default command({
  usage: '[<remote>:]',
  arity: [0, 1],
  description: 'Shows the versions of this client and of the server.',
  async run(shell, args) {
    const { client } = await shell.onlyRemote(args);
    let server = 'unreachable';
    try {
      server = (await client.get<Server>('/1.0')).environment.server_version;
    } catch (error) {
      if (!(error instanceof LxdError)) throw error;
    }
    return textOutput(`Client version: ${version}\nServer version: ${server}`);
  },
});
