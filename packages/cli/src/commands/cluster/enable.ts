import { LxdError } from '@lxd-ts/core';
import type { Server } from '@lxd-ts/client';
import { command } from '../../base/command.ts';
import { notice } from '../../base/output.ts';

export default command({
  usage: '[<remote>:] <name>',
  arity: [1, 2],
  description: `Makes the server the first member of a new cluster, under the name given. What it has stays as it is. It must
listen on the network already, at an address that others can reach (core.https_address or cluster.https_address).`,
  examples: [['cluster enable node1', 'Begin a cluster; others join with the token of "cluster add"']],
  async run(shell, args) {
    const [context, [name = '']] = await shell.remoteFirst(args);
    const { environment } = await context.client.get<Server>('/1.0');
    if (environment.server_clustered) throw new LxdError('invalid', 'This LXD server is already clustered');
    await context.change('PUT', '/1.0/cluster', { body: { server_name: name, enabled: true } });
    return notice('Clustering enabled');
  },
});
