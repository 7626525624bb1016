import type { Entry } from '../base/command.ts';

export const clusterCommands: readonly Entry[] = [];
