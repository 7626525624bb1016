import { setTimeout as sleep } from 'node:timers/promises';
import { LxdError, toLxdError } from '@lxd-ts/core';
import type { Agent, CallOptions, MemberDescription, Observation } from '@lxd-ts/rpc';
import type { Agents, Logger } from '../services.ts';

/** A member is not counted on any more after this many signs of life that did not come, and not sooner than this. */
const missedBeats = 3;
const graceMs = 3_000;
const usualBeatMs = 2_000;
/** Of all members together: with many, each gives fewer. */
const beatsPerSecond = 100;
/** How often it is looked who has fallen silent. */
const lookMs = 500;
/** How long a call waits for a member that is silent for a moment only. */
const patienceMs = 5_000;
const patienceStepMs = 20;

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
  /** A member that is silent for so long is offline. */
  thresholdMs(): number;
  /** This member: it lives as long as we do. */
  own?: string;
  /** Milliseconds that only go forward; default those of the process. */
  monotonic?(): number;
}

/** The agents this server can reach: its own, and those that have dialled in. Whether a member is alive is known from these. */
export class AgentRegistry implements Agents, Disposable {
  readonly #options: AgentsOptions;
  readonly #connected = new Map<string, Connected>();
  readonly #heard = new Map<string, number>();
  readonly #looking: NodeJS.Timeout;
  /** Ends a connection over which nothing has come for the threshold. */
  drop: (agent: Agent) => void = () => undefined;
  #began: number;
  #looked: number;
  #thresholdMs: number;

  constructor(options: AgentsOptions) {
    this.#options = options;
    this.#began = this.#looked = this.#now();
    this.#thresholdMs = options.thresholdMs();
    this.#looking = setInterval(() => this.look(), lookMs).unref();
  }

  /** Lets go of who is silent. Public for tests. */
  look(): void {
    const now = this.#now();
    const away = now - this.#looked - lookMs;
    this.#thresholdMs = this.#options.thresholdMs();
    this.#looked = now;
    // When we have heard nobody because we were held up ourselves, nobody was silent.
    if (away > lookMs) {
      this.#began += away;
      for (const [member, heard] of this.#heard) this.#heard.set(member, Math.min(now, heard + away));
    }
    for (const [member, { agent }] of this.#connected) {
      if (this.state(member) === 'offline') this.drop(agent);
    }
  }

  #now(): number {
    return this.#options.monotonic?.() ?? performance.now();
  }

  /** How often agents are to give a sign of life. */
  heartbeatMs(): number {
    const threshold = this.#thresholdMs;
    const enough = Math.min(usualBeatMs, Math.max(threshold / 10, 200));
    const bearable = (this.#connected.size / beatsPerSecond) * 1000;
    return Math.round(Math.min(Math.max(enough, bearable), threshold / 4));
  }

  /** A connected member gave a sign of life. */
  heard(member: string): void {
    // Whoever was offline connects again: only then is looked at what it has, and what became of that meanwhile.
    if (this.#connected.has(member) && this.state(member) === 'offline') this.look();
    this.#heard.set(member, this.#now());
  }

  awaited(member: string): void {
    if (!this.#heard.has(member)) this.#heard.set(member, this.#now() - this.#thresholdMs);
  }

  /** Milliseconds since the last sign of life; at first since this server has been waiting for one. */
  silentMs(member: string): number {
    if (member === this.#options.own) return 0;
    return this.#now() - (this.#heard.get(member) ?? this.#began);
  }

  get(member: string): Agent {
    const found = this.#connected.get(member);
    const state = this.state(member);
    // Who is slow may still answer; when it does not, its connection is ended, and the call with it.
    if (found && state !== 'offline') return found.agent;
    if (state === 'unreachable') return this.#patient(member);
    throw this.#unavailable(member);
  }

  #unavailable(member: string): LxdError {
    const why = this.state(member) === 'offline' ? 'is offline' : 'cannot be reached at the moment';
    return new LxdError('unavailable', `Member "${member}" ${why}`);
  }

  /** Waits a little for a member that most likely connects again, e.g. after our own restart; then calls it. */
  #patient(member: string): Agent {
    const call =
      (method: string) =>
      async (...args: unknown[]): Promise<unknown> => {
        const { signal } = args.at(-1) as CallOptions;
        const end = this.#now() + patienceMs;
        while (this.state(member) === 'unreachable' && this.#now() < end) {
          await sleep(patienceStepMs, undefined, { signal });
        }
        const agent = this.state(member) === 'online' ? this.#connected.get(member)?.agent : undefined;
        if (!agent) throw this.#unavailable(member);
        return (agent as unknown as Record<string, (...all: unknown[]) => unknown>)[method]?.(...args);
      };
    return new Proxy({}, { get: (_target, method) => call(String(method)) }) as Agent;
  }

  online(): string[] {
    return [...this.#connected.keys()].filter((member) => this.state(member) === 'online');
  }

  state(member: string): 'online' | 'unreachable' | 'offline' {
    if (member === this.#options.own) return 'online';
    const silent = this.silentMs(member);
    const threshold = this.#thresholdMs;
    if (silent >= threshold) return 'offline';
    const limit = Math.max(missedBeats * this.heartbeatMs(), Math.min(graceMs, threshold / 2));
    return this.#connected.has(member) && silent < limit ? 'online' : 'unreachable';
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
    this.#heard.set(member, this.#now());
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
    found.controller.abort(new LxdError('unavailable', `Member "${member}" cannot be reached at the moment`));
  }

  [Symbol.dispose](): void {
    clearInterval(this.#looking);
    for (const [member, { agent }] of [...this.#connected]) this.disconnected(member, agent);
  }
}
