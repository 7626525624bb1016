import { toLxdError } from '@lxd-ts/core';
import type { Records, Store } from '@lxd-ts/state';
import { replicateImages } from '../features/images/replicate.ts';
import { reserveAgain } from '../features/instances/reserve.ts';
import type { Services } from '../services.ts';
import { isPresent, type Duty, type Term } from './leader.ts';
import { unfinished } from './unfinished.ts';

const secondMs = 1_000;
const minuteMs = 60 * secondMs;
const hourMs = 60 * minuteMs;
const dayMs = 24 * hourMs;

/** In one transaction. */
const batch = 100;

const lost = (error: unknown): boolean => toLxdError(error).code === 'precondition-failed';

/** Puts on record who is online and since when, as the leader sees it. */
const memberStates = ({ records, agents, clock, server }: Services): Duty => ({
  name: 'states of members',
  everyMs: secondMs,
  async run({ guard, signal }) {
    const members = records.list('members').map(({ value }) => value.name);
    for (const { value } of records.list('memberStatuses')) {
      if (members.includes(value.name)) continue;
      const gone = [value.name] as [string];
      await records
        .transaction(guard)
        .remove('memberStatuses', gone)
        .remove('fences', gone)
        .commit({ signal });
    }
    const since = clock.now().toISOString();
    for (const name of members) {
      const state = name === server || agents.state(name) !== 'offline' ? 'online' : 'offline';
      const known = records.get('memberStatuses', name);
      if (known?.value.state === state) continue;
      const transaction = records.transaction(guard);
      if (known)
        transaction.update('memberStatuses', [name], known.revision, { ...known.value, state, since });
      else transaction.create('memberStatuses', [name], { name, state, since });
      // Who changed it meanwhile has its reasons: it is looked at again.
      await transaction.commit({ signal }).catch((error: unknown) => {
        if (!lost(error)) throw error;
      });
    }
  },
});

const joinTokens = ({ records, clock }: Services): Duty => ({
  name: 'expired join tokens',
  everyMs: minuteMs,
  async run({ guard, signal }) {
    const now = clock.now();
    for (const { value, revision } of records.list('joinTokens')) {
      if (new Date(value.expiresAt) > now) continue;
      await records
        .transaction(guard)
        .delete('joinTokens', [value.id], revision)
        .commit({ signal })
        .catch((error: unknown) => {
          if (!lost(error)) throw error;
        });
    }
  },
});

/** Finds nothing to do unless a server was killed between two transactions. */
const reservations = (services: Services): Duty => ({
  name: 'reservations',
  everyMs: minuteMs,
  async run({ signal }) {
    const all = services.records.list('instances').map(({ value }) => value);
    for (let at = 0; at < all.length && !signal.aborted; at += batch)
      await reserveAgain(services, all.slice(at, at + batch));
  },
});

/** Images that came from elsewhere and were not used for long. */
const images = (
  { records, clock, log }: Services,
  remove: (project: string, image: string) => Promise<unknown>,
): Duty => ({
  name: 'images that are not used',
  everyMs: hourMs,
  async run() {
    const days = Number(records.get('serverConfig')?.value.config['images.remote_cache_expiry'] ?? 10);
    if (!(days > 0)) return;
    const oldest = clock.now().getTime() - days * dayMs;
    for (const { value } of records.list('images')) {
      const used = new Date(value.lastUsedAt || value.uploadedAt).getTime();
      if (!value.cached || used > oldest) continue;
      log.info('an image was not used for long and goes', { fingerprint: value.fingerprint });
      await remove(value.project, value.fingerprint);
    }
  },
});

/** Not waited for: files may take long, and the other duties do not wait. */
function imageCopies(services: Services): Duty {
  let running = false;
  return {
    name: 'copies of images',
    everyMs: 2 * secondMs,
    run({ signal }) {
      if (running) return Promise.resolve();
      running = true;
      replicateImages(services, { signal })
        .catch((error: unknown) =>
          services.log.warn('images were not copied to more members', { error: toLxdError(error).message }),
        )
        .finally(() => (running = false));
      return Promise.resolve();
    },
  };
}

/** Servers that cannot be at work on anything any more. */
async function deadServers(
  { records, agents, server }: Services,
  store: Store,
  signal: AbortSignal,
): Promise<string[]> {
  const dead: string[] = [];
  const concerned = new Set([
    ...unfinished(records).map((one) => one.server),
    ...records.list('operations').map(({ value }) => value.server),
    ...records.list('joinTokens').map(({ value }) => value.server),
    ...records.list('trustTokens').map(({ value }) => value.server),
    ...records.list('imageTokens').map(({ value }) => value.server),
  ]);
  for (const name of concerned) {
    if (name === server || agents.state(name) !== 'offline') continue;
    if (!(await isPresent(store, name, signal))) dead.push(name);
  }
  return dead;
}

async function forgetOperations(
  records: Records,
  dead: readonly string[],
  { guard, signal }: Term,
): Promise<void> {
  const left = records.list('operations').filter(({ value }) => dead.includes(value.server));
  for (let at = 0; at < left.length; at += batch) {
    const transaction = records.transaction(guard);
    for (const { value } of left.slice(at, at + batch)) transaction.remove('operations', [value.id]);
    await transaction.commit({ signal });
  }
}

/** What a server left half done that is dead by all signs: neither its member nor etcd hears of it. */
const recovery = (
  services: Services,
  store: Store,
  recover: (servers: readonly string[], options: { signal: AbortSignal }) => Promise<void>,
): Duty => ({
  name: 'recovery of what dead servers left',
  everyMs: 5 * secondMs,
  async run(term) {
    const dead = await deadServers(services, store, term.signal);
    if (dead.length === 0) return;
    await forgetOperations(services.records, dead, term);
    await recover(dead, term);
  },
});

export interface DutyOptions {
  store: Store;
  recover(servers: readonly string[], options: { signal: AbortSignal }): Promise<void>;
  deleteImage(project: string, fingerprint: string): Promise<unknown>;
}

/** All that the leader does. What comes to be done for the whole cluster (healing, balancing) is one more. */
export const leaderDuties = (services: Services, { store, recover, deleteImage }: DutyOptions): Duty[] => [
  memberStates(services),
  recovery(services, store, recover),
  joinTokens(services),
  reservations(services),
  images(services, deleteImage),
  imageCopies(services),
];
