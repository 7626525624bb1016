import { setTimeout as sleep } from 'node:timers/promises';
import type { Answer, Rest } from './rest.ts';

export interface Asked {
  name: string;
  rest: Rest;
}

/** An instance as a client may know it: where it was told to be; undefined: wherever it was put. */
type Where = string | undefined;

/** As long as anybody would wait before asking another member. */
const patienceMs = 20_000;
const probeMs = 500;

/** A client that makes, moves and deletes instances without end, at whatever member answers. */
export class RestlessClient {
  /** Every instance that it was told to be there. */
  readonly made = new Map<string, Where>();
  /** Neither known to be done nor to have failed: the answer was lost. */
  readonly unsure = new Set<string>();
  /** How long no member at all committed anything, as told by small changes that need no agent. */
  longestGapMs = 0;
  /** Requests that nobody answered in time. */
  silences = 0;
  readonly #members: readonly Asked[];
  readonly #moves: boolean;
  #last = performance.now();
  #count = 0;
  #running = true;
  #over = Promise.resolve();

  /** @param moves also from member to member */
  constructor(members: readonly Asked[], moves: boolean) {
    this.#members = members;
    this.#moves = moves;
  }

  run(): void {
    this.#over = Promise.all([this.#work(), this.#probe()]).then(() => undefined);
  }

  async stop(): Promise<void> {
    this.#running = false;
    await this.#over;
  }

  /** Asks the next member as soon as one keeps it waiting. */
  async #probe(): Promise<void> {
    for (let turn = 0; this.#running; turn++) {
      const member = this.#members[turn % this.#members.length];
      const change = { config: { 'user.probe': String(turn) } };
      const silence = sleep(probeMs, undefined, { ref: false });
      const asked = member?.rest.send('PATCH', '/1.0', change).catch(() => undefined);
      const answer = await Promise.race([asked, silence]);
      const now = performance.now();
      this.longestGapMs = Math.max(this.longestGapMs, now - this.#last);
      if (answer?.status === 200) this.#last = now;
      await sleep(20);
    }
  }

  async #ask(rest: Rest, method: string, path: string, body?: unknown): Promise<Answer | undefined> {
    const silence = sleep(patienceMs, undefined, { ref: false });
    return Promise.race([rest.call(method, path, body).catch(() => undefined), silence]).then((answer) => {
      if (!answer) this.silences += 1;
      return answer;
    });
  }

  async #change(method: string, path: string, body?: unknown): Promise<'done' | 'failed' | 'unsure'> {
    for (const { rest } of this.#members) {
      const answer = await this.#ask(rest, method, path, body);
      // Perhaps it was not even heard; perhaps it was done.
      if (!answer) return 'unsure';
      if (answer.status === 503) continue;
      if (answer.status < 400 && !answer.error) return 'done';
      return answer.status < 400 ? 'unsure' : 'failed';
    }
    return 'unsure';
  }

  async #move(name: string): Promise<void> {
    const to = this.#members[this.#count % this.#members.length]?.name ?? '';
    const body = { name, migration: true, live: false };
    const moved = await this.#change('POST', `/1.0/instances/${name}?target=${to}`, body);
    if (moved === 'done') this.made.set(name, to);
    // It was there all the time; where is another question.
    else if (moved === 'unsure') this.made.set(name, undefined);
  }

  async #work(): Promise<void> {
    while (this.#running) {
      const name = `i${this.#count++}`;
      const made = await this.#change('POST', '/1.0/instances', { name, source: { type: 'none' } });
      if (made === 'done') this.made.set(name, undefined);
      if (made === 'unsure') this.unsure.add(name);
      if (made === 'done' && this.#moves && this.#count % 2 === 0) await this.#move(name);
      if (made !== 'done' || this.#count % 3 !== 0) {
        await sleep(20);
        continue;
      }
      const deleted = await this.#change('DELETE', `/1.0/instances/${name}`);
      if (deleted !== 'failed') this.made.delete(name);
      if (deleted === 'unsure') this.unsure.add(name);
    }
  }
}
