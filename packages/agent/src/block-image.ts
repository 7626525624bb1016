import { stat } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import type { Readable } from 'node:stream';
import type { Host, Program } from '@lxd-ts/host';
import type { CallOptions } from '@lxd-ts/rpc';

/** What is zeros as a whole becomes a hole. */
const pieceBytes = '64K';

/** A device may have held something else: zeros are written, too. */
export const isDevice = async (path: string): Promise<boolean> => (await stat(path)).isBlockDevice();

/** The bytes of one file or device become those of another; a file has the same size then, and holes where there are zeros. */
export async function copyImage(
  host: Host,
  from: string,
  to: string,
  { signal }: CallOptions,
): Promise<void> {
  const sparse = (await isDevice(to)) ? 'never' : 'always';
  await host.run(['cp', `--sparse=${sparse}`, '--reflink=auto', '--', from, to], { signal });
}

/** A program whose input becomes the bytes of a file, which is there, or of a device. */
export async function imageWriter(host: Host, to: string, { signal }: CallOptions): Promise<Program> {
  const how = (await isDevice(to)) ? 'notrunc' : 'sparse';
  const argv = [
    'dd',
    `of=${to}`,
    `bs=${pieceBytes}`,
    'iflag=fullblock',
    `conv=${how}`,
    'status=none',
  ] as const;
  const program = host.open(argv, { signal });
  program.stdout.resume();
  return program;
}

/** What a stream gives becomes the bytes of a file, which is there, or of a device. */
export async function fillImage(host: Host, to: string, from: Readable, options: CallOptions): Promise<void> {
  await using writer = await imageWriter(host, to, options);
  await pipeline(from, writer.stdin).catch(() => undefined);
  await writer.ended;
}
