import { LxdError, toLxdError, type Config, type Devices } from '@lxd-ts/core';
import type { InstanceRecord, ProfileRecord, Versioned } from '@lxd-ts/state';
import type { Caller } from '../../http/route.ts';
import type { Services } from '../../services.ts';
import { checkProfileConfig } from '../instances/config-schema.ts';
import { memberOf, requestor, type InstancesContext } from '../instances/context.ts';
import { checkProfileDevices } from './devices.ts';
import { expand, rootDisk } from '../instances/expand.ts';
import { reserveAgain } from '../instances/reserve.ts';
import { instanceSpec } from '../instances/spec.ts';

export interface ProfilePut {
  config?: Config;
  devices?: Devices;
  description?: string;
}

const url = (project: string, name: string): string =>
  `/1.0/profiles/${encodeURIComponent(name)}${project === 'default' ? '' : `?project=${encodeURIComponent(project)}`}`;

/** @throws LxdError `invalid` */
function checkName(name: string | undefined): string {
  if (!name) throw new LxdError('invalid', 'No name provided');
  if (name.includes('/')) throw new LxdError('invalid', 'Profile names may not contain slashes');
  if (['.', '..'].includes(name)) throw new LxdError('invalid', `Invalid profile name "${name}"`);
  return name;
}

const setOnly = (config: Config): Config =>
  Object.fromEntries(Object.entries(config).filter(([, value]) => value !== ''));

/** Profiles, and what a change of one does to the instances that have it. */
export class ProfilesService {
  readonly #context: InstancesContext;

  constructor(context: InstancesContext) {
    this.#context = context;
  }

  get #services(): Services {
    return this.#context.services;
  }

  find(project: string, name: string): Versioned<ProfileRecord> {
    const found = this.#services.records.get('profiles', project, name);
    if (!found) throw new LxdError('not-found', 'Profile not found');
    return found;
  }

  list(project: string): ProfileRecord[] {
    return this.#services.records.list('profiles', project).map(({ value }) => value);
  }

  #users(project: string, name: string): InstanceRecord[] {
    return this.#services.records
      .list('instances', project)
      .map(({ value }) => value)
      .filter(({ profiles }) => profiles.includes(name));
  }

  usedBy(project: string, name: string): string[] {
    const suffix = project === 'default' ? '' : `?project=${encodeURIComponent(project)}`;
    return this.#users(project, name).map((user) => `/1.0/instances/${user.name}${suffix}`);
  }

  #told(
    action: string,
    project: string,
    name: string,
    caller: Caller,
    context?: Record<string, unknown>,
  ): void {
    this.#services.events.lifecycle({
      action: `profile-${action}`,
      source: url(project, name),
      project,
      ...(context ? { context } : {}),
      ...requestor(caller),
    });
  }

  /** LXD answers what is wrong with a profile by 500. */
  #check(config: Config, devices: Devices): void {
    try {
      checkProfileConfig(config);
      checkProfileDevices(this.#context, devices);
    } catch (error) {
      throw new LxdError('internal', toLxdError(error).message, { cause: error });
    }
  }

  /** What an instance is on cannot be taken from under it. */
  #checkRoot(user: InstanceRecord, after: ProfileRecord): void {
    const profile = (name: string) => this.#services.records.get('profiles', user.project, name)?.value;
    const poolOf = ({ devices }: { devices: Devices }) => rootDisk(devices)?.[1]['pool'];
    const pool = poolOf(expand(user, profile));
    if (pool === undefined) return;
    const next = expand(user, (name) => (name === after.name ? after : profile(name)));
    if (poolOf(next) !== pool)
      throw new LxdError('internal', "At least one instance relies on this profile's root disk device");
  }

  async create(
    project: string,
    body: ProfilePut & { name?: string },
    caller: Caller,
    signal: AbortSignal,
  ): Promise<string> {
    const name = checkName(body.name);
    const config = setOnly(body.config ?? {});
    const devices = body.devices ?? {};
    const exists = () =>
      new LxdError('internal', `Error inserting "${name}" into database: The profile already exists`);
    if (this.#services.records.get('profiles', project, name)) throw exists();
    checkProfileConfig(config);
    checkProfileDevices(this.#context, devices);
    const record: ProfileRecord = { project, name, description: body.description ?? '', config, devices };
    try {
      await this.#services.records
        .transaction()
        .create('profiles', [project, name], record)
        .commit({ signal });
    } catch (error) {
      throw toLxdError(error).code === 'precondition-failed' ? exists() : error;
    }
    this.#told('created', project, name, caller);
    return url(project, name);
  }

  /** On record first, then into effect on every running instance that has it; members that are away catch up later. */
  async update(
    project: string,
    name: string,
    next: (profile: ProfileRecord) => ProfileRecord,
    caller: Caller,
    { revision, signal }: { revision?: number | undefined; signal: AbortSignal },
  ): Promise<void> {
    const found = this.find(project, name);
    if (revision !== undefined && revision !== found.revision) {
      throw new LxdError(
        'precondition-failed',
        "ETag doesn't match: the profile was changed in the meantime",
      );
    }
    const changed = next(found.value);
    const after = { ...changed, config: setOnly(changed.config) };
    this.#check(after.config, after.devices);
    const { records, agents } = this.#services;
    const users = this.#users(project, name);
    for (const user of users) this.#checkRoot(user, after);
    const before = new Map(users.map((user) => [user.name, this.#spec(user)]));
    await records.transaction().update('profiles', [project, name], found.revision, after).commit({ signal });
    await reserveAgain(this.#services, users);
    const failures: string[] = [];
    for (const user of users) {
      const from = before.get(user.name);
      const member = memberOf(this.#services, user.project, user.name);
      // Who is away catches up when it is back.
      if (!from || agents.state(member) !== 'online') continue;
      try {
        const to = { ...from, ...expand(user, (other) => records.get('profiles', project, other)?.value) };
        await agents.get(member).updateInstance(from, to, { signal: AbortSignal.timeout(60_000) });
      } catch (error) {
        failures.push(` - Project: ${project}, Instance: ${user.name}: ${toLxdError(error).message}\n`);
      }
    }
    this.#told('updated', project, name, caller);
    if (failures.length > 0) {
      throw new LxdError(
        'internal',
        `The following instances failed to update (profile change still saved):\n${failures.join('')}`,
      );
    }
  }

  #spec(record: InstanceRecord) {
    return instanceSpec(this.#services, record, memberOf(this.#services, record.project, record.name));
  }

  async rename(
    project: string,
    name: string,
    to: string | undefined,
    caller: Caller,
    signal: AbortSignal,
  ): Promise<string> {
    if (name === 'default') throw new LxdError('forbidden', 'The "default" profile cannot be renamed');
    const newName = checkName(to);
    const { value, revision } = this.find(project, name);
    const { records } = this.#services;
    if (records.get('profiles', project, newName)) {
      throw new LxdError('internal', `Name "${newName}" already in use`);
    }
    const transaction = records
      .transaction()
      .delete('profiles', [project, name], revision)
      .create('profiles', [project, newName], { ...value, name: newName });
    for (const user of this.#users(project, name)) {
      const found = records.get('instances', project, user.name);
      if (!found) continue;
      const profiles = found.value.profiles.map((profile) => (profile === name ? newName : profile));
      transaction.update('instances', [project, user.name], found.revision, { ...found.value, profiles });
    }
    await transaction.commit({ signal });
    this.#told('renamed', project, newName, caller, { old_name: name });
    return url(project, newName);
  }

  async delete(project: string, name: string, caller: Caller, signal: AbortSignal): Promise<void> {
    if (name === 'default') throw new LxdError('forbidden', 'The "default" profile cannot be deleted');
    const { revision } = this.find(project, name);
    if (this.#users(project, name).length > 0) {
      throw new LxdError('invalid', 'Profile is currently in use');
    }
    await this.#services.records
      .transaction()
      .delete('profiles', [project, name], revision)
      .commit({ signal });
    this.#told('deleted', project, name, caller);
  }
}
