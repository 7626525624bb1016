import { LxdError } from '@lxd-ts/core';
import { Questions, type Ask } from './questions.ts';

/** A pool as the server is asked to look at it. */
export interface RecoverPool {
  name: string;
  driver: string;
  description?: string;
  config: Record<string, string>;
}

export interface RecoverFound {
  UnknownVolumes:
    { name: string; type: string; snapshotCount: number; project: string; pool: string }[] | null;
  DependencyErrors: string[] | null;
}

/** Whoever answers, and the server. */
export interface RecoverSides {
  ask: Ask;
  say(text: string): void;
  /** On record. */
  pools: readonly RecoverPool[];
  drivers: readonly string[];
  /** Looks; changes nothing. */
  validate(pools: readonly RecoverPool[]): Promise<RecoverFound>;
  /** Takes in. */
  take(pools: readonly RecoverPool[]): Promise<Partial<RecoverFound>>;
}

const words: Readonly<Record<string, string>> = { container: 'Container', volume: 'Volume' };

const told = ({ name, driver, config }: RecoverPool): string =>
  `"${name}" (backend="${driver}", source="${config['source'] ?? ''}")`;

async function askPool(
  questions: Questions,
  { ask, say, drivers, pools }: RecoverSides,
): Promise<RecoverPool> {
  const name = await questions.text('Name of the storage pool', '', (text) =>
    pools.some((pool) => pool.name === text)
      ? `"${text}" is on record; it will be looked at anyway`
      : undefined,
  );
  const driver = await questions.text(`Name of the storage backend (${drivers.join(', ')})`, '', (text) =>
    drivers.includes(text) ? undefined : `Please choose one of ${drivers.join(', ')}`,
  );
  const source = await questions.text(
    'Source of the storage pool (block device, volume group, dataset, path, ... as applicable)',
    '',
  );
  const config: Record<string, string> = { source };
  for (;;) {
    const line = await ask('Additional storage pool configuration property (KEY=VALUE, empty when done): ');
    if (!line) return { name, driver, config };
    const at = line.indexOf('=');
    if (at > 0) config[line.slice(0, at)] = line.slice(at + 1);
    else say('Please give a key and a value, such as size=10GiB\n');
  }
}

function tellFound(say: (text: string) => void, found: NonNullable<RecoverFound['UnknownVolumes']>): void {
  say('The following unknown volumes have been found:\n');
  for (const { name, type, snapshotCount, project, pool } of found)
    say(
      ` - ${words[type] ?? type} "${name}" on pool "${pool}" in project "${project}" (includes ${snapshotCount} snapshots)\n`,
    );
}

/** Asks what `lxd recover` asks. @returns what there is to say at the end */
export async function recoverDialogue(sides: RecoverSides): Promise<string> {
  const { ask, say } = sides;
  const questions = new Questions(ask, say);
  say('This server currently has the following storage pools:\n');
  for (const pool of sides.pools) say(` - ${told(pool)}\n`);
  const added: RecoverPool[] = [];
  while (await questions.yes('Would you like to recover another storage pool?', false))
    added.push(await askPool(questions, sides));
  const all = [...sides.pools, ...added];
  if (all.length === 0) return 'There are no storage pools to look at. Nothing to do.';
  say('The recovery process will be scanning the following storage pools:\n');
  for (const pool of sides.pools) say(` - EXISTING: ${told(pool)}\n`);
  for (const pool of added) say(` - NEW: ${told(pool)}\n`);
  if (!(await questions.yes('Would you like to continue with scanning for lost volumes?', true)))
    return 'Nothing was changed.';
  for (;;) {
    say('Scanning for unknown volumes...\n');
    const { UnknownVolumes: found, DependencyErrors: missing } = await sides.validate(all);
    if (!found || found.length === 0) return 'No unknown volumes found. Nothing to do.';
    tellFound(say, found);
    if (!missing || missing.length === 0) break;
    say('You are currently missing the following:\n');
    for (const one of missing) say(` - ${one}\n`);
    const answer = await ask('Please create those missing entries and then hit ENTER: ');
    if (answer === undefined)
      throw new LxdError('cancelled', 'Something is missing that these need; nothing was changed');
  }
  if (!(await questions.yes('Would you like those to be recovered?', false))) return 'Nothing was changed.';
  say('Starting recovery...\n');
  const { DependencyErrors: lost } = await sides.take(all);
  if (lost && lost.length > 0)
    throw new LxdError('invalid', `Nothing was recovered; missing by now: ${lost.join(', ')}`);
  return 'Everything that was found is on record again.';
}
