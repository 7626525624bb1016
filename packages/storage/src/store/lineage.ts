import type { WaitOptions } from '../driver.ts';

/** A dataset, or an image of Ceph: its snapshots cannot go while something has been cloned from them. */
export interface LineageNode {
  name: string;
  snapshots: readonly string[];
  /** What it was cloned from. */
  origin: { of: string; snapshot: string } | undefined;
}

/** How one of these goes, and stays on where others need it. */
export interface Lineage {
  read(options: WaitOptions): Promise<readonly LineageNode[]>;
  destroy(name: string, options: WaitOptions): Promise<void>;
  destroySnapshot(of: string, snapshot: string, options: WaitOptions): Promise<void>;
  /** Gives it a name that says that it is gone. */
  bury(name: string, options: WaitOptions): Promise<void>;
  /** Gives a snapshot a name that says that it is there for clones only. */
  hide(of: string, snapshot: string, options: WaitOptions): Promise<void>;
  isBuried(name: string): boolean;
  isHidden(snapshot: string): boolean;
}

const hasClones = (nodes: readonly LineageNode[], of: string, snapshot: string): boolean =>
  nodes.some(({ origin }) => origin?.of === of && origin.snapshot === snapshot);

/** What a clone that is gone has kept alive goes, too, if it was there for clones only and was the last. */
async function forget(lineage: Lineage, origin: LineageNode['origin'], options: WaitOptions): Promise<void> {
  if (!origin || !(lineage.isBuried(origin.of) || lineage.isHidden(origin.snapshot))) return;
  const nodes = await lineage.read(options);
  const parent = nodes.find(({ name }) => name === origin.of);
  if (!parent?.snapshots.includes(origin.snapshot) || hasClones(nodes, origin.of, origin.snapshot)) return;
  await lineage.destroySnapshot(origin.of, origin.snapshot, options);
  if (!lineage.isBuried(parent.name) || parent.snapshots.length > 1) return;
  await lineage.destroy(parent.name, options);
  await forget(lineage, parent.origin, options);
}

/** With its snapshots. Gone already: nothing done. */
export async function removeNode(lineage: Lineage, name: string, options: WaitOptions): Promise<void> {
  const nodes = await lineage.read(options);
  const node = nodes.find((one) => one.name === name);
  if (!node) return;
  const kept = node.snapshots.filter((snapshot) => hasClones(nodes, name, snapshot));
  for (const snapshot of node.snapshots)
    if (!kept.includes(snapshot)) await lineage.destroySnapshot(name, snapshot, options);
  if (kept.length > 0) {
    await lineage.bury(name, options);
    return;
  }
  await lineage.destroy(name, options);
  await forget(lineage, node.origin, options);
}

export async function removeSnapshot(
  lineage: Lineage,
  of: string,
  snapshot: string,
  options: WaitOptions,
): Promise<void> {
  if (hasClones(await lineage.read(options), of, snapshot)) await lineage.hide(of, snapshot, options);
  else await lineage.destroySnapshot(of, snapshot, options);
}

/** What a crash has left for nobody. @param old whether nobody can be at work on it */
export async function pruneLineage(
  lineage: Lineage,
  options: WaitOptions,
  old: (of: string, snapshot: string) => boolean = () => true,
): Promise<void> {
  const nodes = await lineage.read(options);
  for (const { name, snapshots, origin } of nodes) {
    const idle = snapshots.filter(
      (snapshot) =>
        (lineage.isBuried(name) || lineage.isHidden(snapshot)) &&
        !hasClones(nodes, name, snapshot) &&
        old(name, snapshot),
    );
    for (const snapshot of idle) await lineage.destroySnapshot(name, snapshot, options);
    if (!lineage.isBuried(name) || idle.length < snapshots.length) continue;
    await lineage.destroy(name, options);
    await forget(lineage, origin, options);
  }
}
