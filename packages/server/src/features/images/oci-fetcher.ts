import { once } from 'node:events';
import { pipeline, Readable } from 'node:stream';
import { toLxdError } from '@lxd-ts/core';
import type { RunningOperation } from '@lxd-ts/operations';
import type { Agent, ImagePart, ReceivedImage } from '@lxd-ts/rpc';
import { counting } from './counting.ts';
import { downloadFile } from './download.ts';
import type { OciBlob, OciDescription } from './oci.ts';

/** How often a blob may vanish in between, because the last image that had it was deleted. */
const tries = 3;

async function* partsOf(
  manifest: Buffer,
  blobs: readonly OciBlob[],
  running: RunningOperation,
): AsyncGenerator<ImagePart> {
  yield await Promise.resolve({ kind: 'manifest' as const, body: Readable.from([manifest]) });
  for (const blob of blobs) {
    const body = counting(blob.size, (text) =>
      running.update({ download_progress: `${blob.name}: ${text}` }),
    );
    // What goes wrong comes out of the body.
    pipeline(Readable.from(downloadFile(blob, running.signal), { objectMode: false }), body, () => undefined);
    yield { kind: 'blob', digest: blob.digest, body };
    body.destroy();
  }
}

/** Brings images of registries to members. What several images have in common is fetched once, also while it is on its way. */
export class OciFetcher {
  /** Blobs that are on their way to a member. */
  readonly #coming = new Map<string, Promise<unknown>>();
  #ended = 0;

  /** @throws LxdError */
  async fetch(
    agent: Agent,
    member: string,
    { fingerprint, manifest, blobs }: OciDescription,
    running: RunningOperation,
  ): Promise<ReceivedImage> {
    const { signal } = running;
    const key = (digest: string) => `${member} ${digest}`;
    const all = [...new Map(blobs.map((blob) => [blob.digest, blob])).values()];
    for (let failed = 0; ;) {
      signal.throwIfAborted();
      const ended = this.#ended;
      const missing = new Set(
        await agent.missingBlobs([...new Set(all.map(({ digest }) => digest))], { signal }),
      );
      // What has come meanwhile may be among them.
      if (ended !== this.#ended) continue;
      const wanted = all.filter(({ digest }) => missing.has(digest));
      const others = wanted.flatMap(({ digest }) => this.#coming.get(key(digest)) ?? []);
      if (others.length > 0) {
        using stop = new DisposableStack();
        const given = new AbortController();
        stop.defer(() => given.abort());
        const aborted = once(signal, 'abort', { signal: given.signal }).catch(() => undefined);
        await Promise.race([Promise.allSettled(others), aborted]);
        continue;
      }
      const work = agent.receiveImage(partsOf(manifest, wanted, running), { signal, expected: fingerprint });
      for (const { digest } of wanted) this.#coming.set(key(digest), work);
      try {
        return await work;
      } catch (error) {
        failed += 1;
        if (toLxdError(error).code !== 'precondition-failed' || failed === tries) throw error;
      } finally {
        for (const { digest } of wanted) this.#coming.delete(key(digest));
        this.#ended += 1;
      }
    }
  }
}
