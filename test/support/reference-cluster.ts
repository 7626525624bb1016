import { startCluster, type Cluster } from './cluster.ts';
import { startReference } from './reference.ts';

/** A cluster of real LXDs, as `startCluster` makes it. */
export const startReferenceCluster = (dir: string, count = 3): Promise<Cluster> =>
  startCluster(dir, count, startReference);
