import { randomBytes, timingSafeEqual } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { OperationView } from '@lxd-ts/operations';
import type { Services } from '../../services.ts';

/** How long a secret is good, as LXD's. */
const secretMs = 3_600_000;

/** Secrets that let another server fetch an image that is not public. They live as their operations do, on this server. */
export class ImageSecrets {
  readonly #services: Services;
  readonly #secrets = new Map<string, { fingerprint: string; secret: string }>();

  constructor(services: Services) {
    this.#services = services;
  }

  opens(fingerprint: string, secret: string): boolean {
    const given = Buffer.from(secret);
    return [...this.#secrets.values()].some((one) => {
      const expected = Buffer.from(one.secret);
      return (
        one.fingerprint === fingerprint &&
        expected.length === given.length &&
        timingSafeEqual(expected, given)
      );
    });
  }

  create(project: string, fingerprint: string): Promise<OperationView> {
    const secret = randomBytes(32).toString('hex');
    return this.#services.operations.start({
      class: 'token',
      description: 'Image download token',
      project,
      resources: { images: [fingerprint] },
      metadata: { secret },
      mayCancel: true,
      run: async ({ id, signal }) => {
        this.#secrets.set(id, { fingerprint, secret });
        await sleep(secretMs, undefined, { signal, ref: false }).finally(() => this.#secrets.delete(id));
      },
    });
  }
}
