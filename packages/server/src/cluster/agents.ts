import { setTimeout as sleep } from 'node:timers/promises';
import { LxdError, toLxdError } from '@lxd-ts/core';
import type { Agent, MemberDescription, Observation } from '@lxd-ts/rpc';
import type { Agents, Logger } from '../services.ts';

interface Connected {
  agent: Agent;
  controller: AbortController;
  description: MemberDescription | undefined;
}

export interface AgentsOptions {
  log: Logger;
  /** Called in order per member. */
  onObservation(member: string, observation: Observation, signal: AbortSignal): Promise<void>;
  /** How long after it stopped telling what it observes a member is asked again; default a second. */
  againMs?: number;
  /** A member's agent can be used from now on. */
  onConnected(member: string, description: MemberDescription, signal: AbortSignal): Promise<void>;
}

/** The agents this server can reach: its own, and those that have dialled in. */
export class AgentRegistry implements Agents, Disposable {
  readonly #options: AgentsOptions;
  readonly #connected = new Map<string, Connected>();

  constructor(options: AgentsOptions) {
    this.#options = options;
  }

  get(member: string): Agent {
    const found = this.#connected.get(member);
    if (!found) throw new LxdError('unavailable', `Member "${member}" is offline`);
    return found.agent;
  }

  online(): string[] {
    return [...this.#connected.keys()];
  }

  state(member: string): 'online' | 'unreachable' | 'offline' {
    return this.#connected.has(member) ? 'online' : 'offline';
  }

  description(member: string): MemberDescription | undefined {
    return this.#connected.get(member)?.description;
  }

  /** Resolves once what the agent has is on record. */
  async connected(member: string, agent: Agent): Promise<void> {
    const { log, onConnected } = this.#options;
    this.disconnected(member, this.#connected.get(member)?.agent);
    const controller = new AbortController();
    const entry: Connected = { agent, controller, description: undefined };
    this.#connected.set(member, entry);
    const { signal } = controller;
    try {
      entry.description = await agent.describe({ signal });
      await onConnected(member, entry.description, signal);
      const first = Promise.withResolvers<undefined>();
      void this.#follow(member, entry, () => first.resolve(undefined));
      await first.promise;
    } catch (error) {
      if (!signal.aborted)
        log.error('a member could not be taken in', { member, error: toLxdError(error).message });
    }
  }

  async #follow(member: string, { agent, controller }: Connected, onFirst: () => void): Promise<void> {
    const { signal } = controller;
    while (!signal.aborted) {
      let why = 'it stopped telling';
      try {
        for await (const observation of agent.observe({ signal })) {
          await this.#options.onObservation(member, observation, signal);
          onFirst();
        }
      } catch (error) {
        why = toLxdError(error).message;
      }
      onFirst();
      // eslint-disable-next-line @typescript-eslint/no-unnecessary-condition -- aborted meanwhile
      if (signal.aborted) return;
      this.#options.log.warn('observing a member ended; it is tried again', { member, error: why });
      await sleep(this.#options.againMs ?? 1000, undefined, { signal, ref: false }).catch(() => undefined);
    }
  }

  /** @param agent only when it is still this one */
  disconnected(member: string, agent: Agent | undefined): void {
    const found = this.#connected.get(member);
    if (!found || found.agent !== agent) return;
    this.#connected.delete(member);
    found.controller.abort(new LxdError('unavailable', `Member "${member}" is offline`));
  }

  [Symbol.dispose](): void {
    for (const [member, { agent }] of [...this.#connected]) this.disconnected(member, agent);
  }
}
