import type { Host } from '@lxd-ts/host';
import type { StorageContext, WaitOptions } from './driver.ts';

/** The filesystem counts nothing by project. */
const unable = 2;
const askTimeoutMs = 30_000;

interface Question {
  path: string;
  answer(bytes: number | undefined): void;
}

/** What is asked at once is asked of one process. */
interface Asking {
  questions: Question[];
  /** The filesystem was found unable. */
  unable: boolean;
}

/** Room of directories, where their filesystem has project quotas: ext4 and xfs, mounted with `prjquota`. */
export class ProjectQuotas {
  static readonly #all = new WeakMap<Host, Map<string, Asking>>();
  readonly #host: Host;
  readonly #program: string;
  readonly #asking: Asking;

  /** @param pool path of the filesystem that is meant; known to all that use the same machine */
  constructor({ host, quotaProgram }: Pick<StorageContext, 'host' | 'quotaProgram'>, pool: string) {
    this.#host = host;
    this.#program = quotaProgram;
    const known = ProjectQuotas.#all.get(host) ?? new Map<string, Asking>();
    ProjectQuotas.#all.set(host, known);
    this.#asking = known.get(pool) ?? { questions: [], unable: false };
    known.set(pool, this.#asking);
  }

  /** Another filesystem may be there from now on. */
  forget(): void {
    this.#asking.unable = false;
  }

  /** @param bytes undefined: no limit. @returns false when the filesystem cannot */
  async limit(directory: string, bytes: number | undefined, { signal }: WaitOptions): Promise<boolean> {
    const { status, stderr } = await this.#host.run([this.#program, 'limit', directory, String(bytes ?? 0)], {
      signal,
      allowFailure: true,
    });
    if (status === unable) return false;
    if (status !== 0) throw new Error(`The size of a volume was not limited: ${stderr.trim()}`);
    return true;
  }

  /** Bytes; undefined where nothing is counted. */
  used(directory: string): Promise<number | undefined> {
    const asking = this.#asking;
    if (asking.unable) return Promise.resolve(undefined);
    return new Promise((answer) => {
      if (asking.questions.push({ path: directory, answer }) === 1) setImmediate(() => void this.#ask());
    });
  }

  async #ask(): Promise<void> {
    const questions = this.#asking.questions.splice(0);
    const { status, stdout } = await this.#host
      .run([this.#program, 'used', ...questions.map(({ path }) => path)], {
        signal: AbortSignal.timeout(askTimeoutMs),
        allowFailure: true,
      })
      .catch(() => ({ status: 1, stdout: '' }));
    if (status === unable) this.#asking.unable = true;
    const lines = status === 0 ? stdout.split('\n') : [];
    for (const [at, { answer }] of questions.entries())
      answer(/^\d+$/.test(lines[at] ?? '') ? Number(lines[at]) : undefined);
  }
}
