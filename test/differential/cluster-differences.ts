import type { KnownDifference } from './differences.ts';

/** Every known difference from a cluster of LXD 5.0.2, with its reason. One that is no longer there fails the test. */
export const knownClusterDifferences: readonly KnownDifference[] = [];
