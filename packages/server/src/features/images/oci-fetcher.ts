import { Readable } from 'node:stream';
import { abortable, toLxdError } from '@lxd-ts/core';
import type { RunningOperation } from '@lxd-ts/operations';
import type { Agent, ImagePart, ReceivedImage } from '@lxd-ts/rpc';
import { downloadParts } from './download.ts';
import type { OciBlob, OciDescription } from './oci.ts';

/** How often a blob may vanish in between, because the last image that had it was deleted. */
const tries = 3;

async function* partsOf(
  manifest: Buffer,
  blobs: readonly OciBlob[],
  running: RunningOperation,
): AsyncGenerator<ImagePart> {
  yield await Promise.resolve({ kind: 'manifest' as const, body: Readable.from([manifest]) });
  yield* downloadParts(blobs, ({ name }) => name, running);
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
        await abortable(Promise.allSettled(others), signal);
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
