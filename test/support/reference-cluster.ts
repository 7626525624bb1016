import { startCluster, type Cluster } from './cluster.ts';
import { startReference } from './reference.ts';

/** A cluster of real LXDs, as `startCluster` makes it. */
export async function startReferenceCluster(dir: string, count = 3): Promise<Cluster> {
  const cluster = await startCluster(dir, count, startReference);
  const { members, lose, stopAll } = cluster;
  return {
    ...cluster,
    stopAll: async () => {
      const [first, ...others] = members;
      if (first) await first.deleteEverything();
      // Who is left without the others does not end for a minute.
      for (const { name } of others) await lose(name);
      if (first) await lose(first.name);
      return stopAll();
    },
  };
}
