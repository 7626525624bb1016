import { randomBytes, scrypt, timingSafeEqual } from 'node:crypto';

const saltBytes = 16;
const keyBytes = 32;

const derive = (password: string, salt: Buffer): Promise<Buffer> =>
  new Promise((resolve, reject) => {
    scrypt(password, salt, keyBytes, (error, key) => (error ? reject(error) : resolve(key)));
  });

/** `scrypt:SALT:KEY`, hexadecimal. */
export async function hashPassword(password: string): Promise<string> {
  const salt = randomBytes(saltBytes);
  return `scrypt:${salt.toString('hex')}:${(await derive(password, salt)).toString('hex')}`;
}

export async function isPassword(password: string, hash: string): Promise<boolean> {
  const [scheme, salt = '', key = ''] = hash.split(':');
  if (scheme !== 'scrypt') return false;
  const expected = Buffer.from(key, 'hex');
  const derived = await derive(password, Buffer.from(salt, 'hex'));
  return expected.length === derived.length && timingSafeEqual(expected, derived);
}

/** So many wrong guesses within the time, and no guess is looked at any more until it has passed. */
const guesses = { each: 10, all: 100, withinMs: 60_000 };

/** Keeps those who guess passwords from trying many, from one address or from many. */
export class GuessLimit {
  readonly #wrong: { at: number; address: string }[] = [];
  readonly #now: () => number;

  constructor(now: () => number) {
    this.#now = now;
  }

  allows(address: string): boolean {
    const since = this.#now() - guesses.withinMs;
    while (this.#wrong[0] && this.#wrong[0].at < since) this.#wrong.shift();
    const own = this.#wrong.filter((one) => one.address === address).length;
    return own < guesses.each && this.#wrong.length < guesses.all;
  }

  wrong(address: string): void {
    this.#wrong.push({ at: this.#now(), address });
  }
}
