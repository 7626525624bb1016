import type { NetworkSpec, PoolSpec } from '@lxd-ts/core';
import type { Agent, CallOptions, Created } from '@lxd-ts/rpc';
import type { ArrearRecord, NetworkRecord, PoolRecord, Records, Transaction, Versioned } from '@lxd-ts/state';
import { networkSpec, poolSpec } from '../../instances/spec.ts';

/** A network's project; '' for pools, which have none. */
export type PartId = readonly [project: string, name: string];

/** What pools and networks have in common: each member has its part of them. */
export interface PartKind<R extends PoolRecord | NetworkRecord, S extends PoolSpec | NetworkSpec> {
  of: ArrearRecord['of'];
  /** For messages. */
  noun: string;
  id(record: R): PartId;
  get(records: Records, id: PartId): Versioned<R> | undefined;
  list(records: Records): Versioned<R>[];
  put(transaction: Transaction, id: PartId, revision: number, record: R): void;
  guard(transaction: Transaction, id: PartId, revision: number): void;
  spec(record: R, member: string): S;
  create(agent: Agent, spec: S, options: CallOptions): Promise<Created>;
  update(agent: Agent, before: S, after: S, options: CallOptions): Promise<void>;
  delete(agent: Agent, spec: S, options: CallOptions): Promise<void>;
}

export const poolParts: PartKind<PoolRecord, PoolSpec> = {
  of: 'pool',
  noun: 'storage pool',
  id: ({ name }) => ['', name],
  get: (records, [, name]) => records.get('pools', name),
  list: (records) => records.list('pools'),
  put: (transaction, [, name], revision, record) => transaction.update('pools', [name], revision, record),
  guard: (transaction, [, name], revision) => transaction.guard('pools', [name], revision),
  spec: poolSpec,
  create: (agent, spec, options) => agent.createPool(spec, options),
  update: (agent, before, after, options) => agent.updatePool(before, after, options),
  delete: (agent, spec, options) => agent.deletePool(spec, options),
};

export const networkParts: PartKind<NetworkRecord, NetworkSpec> = {
  of: 'network',
  noun: 'network',
  id: ({ project, name }) => [project, name],
  get: (records, [project, name]) => records.get('networks', project, name),
  list: (records) => records.list('networks'),
  put: (transaction, [project, name], revision, record) =>
    transaction.update('networks', [project, name], revision, record),
  guard: (transaction, [project, name], revision) => transaction.guard('networks', [project, name], revision),
  spec: networkSpec,
  create: (agent, spec, options) => agent.createNetwork(spec, options),
  update: (agent, before, after, options) => agent.updateNetwork(before, after, options),
  delete: (agent, spec, options) => agent.deleteNetwork(spec, options),
};
