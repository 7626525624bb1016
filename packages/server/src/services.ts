import type { Lanes } from './cluster/lanes.ts';
import type { Peers } from './cluster/peers.ts';
import type { Agent, MemberDescription } from '@lxd-ts/rpc';
import type { Records } from '@lxd-ts/state';
import type { DescribedOperations } from './features/descriptions/described-operations.ts';

/** A lifecycle event as LXD sends it, before its envelope. */
export interface Lifecycle {
  /** e.g. `instance-started`. */
  action: string;
  /** REST path. */
  source: string;
  project: string;
  context?: Record<string, unknown>;
  requestor?: { username: string; protocol: string };
}

export interface Logger {
  debug(message: string, fields?: Record<string, unknown>): void;
  info(message: string, fields?: Record<string, unknown>): void;
  warn(message: string, fields?: Record<string, unknown>): void;
  error(message: string, fields?: Record<string, unknown>): void;
}

/** The agents this server can reach. */
export interface Agents {
  /** @throws LxdError `unavailable` when the member is offline */
  get(member: string): Agent;
  /** Members whose agent is connected now. */
  online(): string[];
  /** `unreachable`: not connected, or silent for a moment: it may be called, but is not counted on; `offline`: silent for longer than the threshold. */
  state(member: string): 'online' | 'unreachable' | 'offline';
  /** Milliseconds since its last sign of life. */
  silentMs(member: string): number;
  /** A member was just taken in: it is offline until it gives its first sign of life. */
  awaited(member: string): void;
  /** What it said of itself when it connected. */
  description(member: string): MemberDescription | undefined;
}

/** What every feature is made from. */
export interface Services {
  records: Records;
  operations: DescribedOperations;
  agents: Agents;
  /** The other servers of the control plane. */
  peers: Peers;
  /** Of all instances. */
  hwaddrs: { isTaken(address: string): boolean };
  events: { lifecycle(event: Lifecycle): void };
  log: Logger;
  /** Name of this server, as members are named. */
  server: string;
  /** Turns of this server's own work. */
  lanes: Lanes;
  clock: { now(): Date };
  /** Random UUID, version 4. */
  uuid(): string;
}
