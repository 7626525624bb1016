import { statSync } from 'node:fs';
import type { CallOptions } from '@lxd-ts/rpc';

const everyMs = 500;

const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(2)}MB`;

/** Tells twice a second how much of a file is written, as LXD's clients show it. Ends when it is disposed. */
export function progressOf(
  file: string,
  what: string,
  key: string,
  onProgress: CallOptions['onProgress'],
): Disposable {
  if (!onProgress) return { [Symbol.dispose]: () => undefined };
  const began = performance.now();
  const tell = () => {
    const size = statSync(file, { throwIfNoEntry: false })?.size ?? 0;
    const perSecond = size / Math.max(0.001, (performance.now() - began) / 1000);
    onProgress({ [key]: `${what}: ${megabytes(size)} (${megabytes(perSecond)}/s)` });
  };
  const timer = setInterval(tell, everyMs);
  return { [Symbol.dispose]: () => clearInterval(timer) };
}
