import { LxdError } from '@lxd-ts/core';
import type { Server, StoragePool } from '@lxd-ts/client';
import { command } from '../../base/command.ts';
import { apiPath } from '../../base/names.ts';
import { lineReader } from '../../base/io.ts';
import { notice } from '../../base/output.ts';
import { recoverDialogue, type RecoverFound, type RecoverPool } from './recover-dialogue.ts';

export default command({
  usage: '',
  arity: [0, 0],
  description: `Finds instances and custom volumes in storage pools that are not on record (any more), and takes them in again:
pools that are not known, instances with their configuration and snapshots, volumes with their snapshots. It asks for pools
to look at, shows what it finds, and changes nothing before that is confirmed.`,
  examples: [
    ['admin recover', 'After the database was lost, or to take over the pool of another server'],
    ['admin recover --target m2', 'What is in the pools of another member of the cluster'],
  ],
  flags: { target: { kind: 'string', value: 'member', help: 'Cluster member to look at' } },
  async run(shell, _args, { target }) {
    const context = await shell.on('local');
    const { client, io } = context;
    const on = target === undefined ? {} : { target };
    const [server, all] = await Promise.all([
      client.get<Server>('/1.0', { query: on }),
      client.get<StoragePool[]>('/1.0/storage-pools', { query: { recursion: 1 } }),
    ]);
    const { server_clustered: isClustered, server_name: member } = server.environment;
    // In a cluster only each member's own view says where its part is.
    const pools = isClustered
      ? await Promise.all(
          all
            .filter(({ locations }) => locations?.includes(member))
            .map(({ name }) =>
              client.get<StoragePool>(apiPath('storage-pools', name), { query: { target: member } }),
            ),
        )
      : all;
    const call = async <T>(verb: string, asked: readonly RecoverPool[]): Promise<T> => {
      const reply = await client.request('POST', `/internal/recover/${verb}`, {
        query: on,
        body: { pools: asked },
      });
      if (reply.kind !== 'sync') throw new LxdError('internal', 'The server started an operation');
      return reply.metadata as T;
    };
    const reader = lineReader(io);
    try {
      const last = await recoverDialogue({
        ask: (question) => reader.ask(question),
        say: (text) => void io.stdout.write(text),
        pools: pools.map(({ name, driver, config }) => ({ name, driver, config: { ...config } })),
        drivers: server.environment.storage_supported_drivers?.map(({ Name }) => Name) ?? ['btrfs', 'dir'],
        validate: (asked) => call<RecoverFound>('validate', asked),
        take: (asked) => call<Partial<RecoverFound>>('import', asked),
      });
      return notice(last);
    } finally {
      reader.close();
    }
  },
});
