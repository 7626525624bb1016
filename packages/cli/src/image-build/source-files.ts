import { createHash } from 'node:crypto';
import { constants, type Stats } from 'node:fs';
import { lstat, open, readdir, readlink, realpath, type FileHandle } from 'node:fs/promises';
import { join, posix, relative, sep } from 'node:path';
import { Readable } from 'node:stream';
import { LxdError } from '@lxd-ts/core';

/** Something that goes into the image, with its path there. What two machines may differ in is not in it. */
export interface FileNode {
  path: string;
  type: 'file' | 'directory' | 'symlink';
  /** Unset for links. */
  mode?: number;
  /** Of a file's content. */
  sha256?: string;
  size?: number;
  /** Of a link. */
  target?: string;
  /** Of a file. */
  open?: () => Promise<Readable>;
}

/** Opened without following a link in its place, and without waiting for who may be at the other end of a FIFO. */
async function openFile(path: string, shown: string): Promise<FileHandle> {
  const file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  if ((await file.stat()).isFile()) return file;
  await file.close();
  throw new LxdError('invalid', `"${shown}" is not a file any more`);
}

async function digest(path: string, shown: string): Promise<{ sha256: string; size: number }> {
  await using file = await openFile(path, shown);
  const hash = createHash('sha256');
  let size = 0;
  for await (const chunk of file.createReadStream({ autoClose: false, highWaterMark: 1 << 20 })) {
    hash.update(chunk as Buffer);
    size += (chunk as Buffer).length;
  }
  return { sha256: hash.digest('hex'), size };
}

/** As git keeps modes: what the umask of whoever checked it out made of them does not count. */
const plainMode = (found: Stats): number => ((found.mode & 0o100) === 0 ? 0o644 : 0o755);
/** Who may read a file may enter a directory. */
const directoryMode = (mode: number): number => mode | ((mode & 0o444) >> 2);

/** Where in this machine a source is. @throws LxdError `invalid` when it is not within the directory, links followed */
export async function locateSource(directory: string, source: string): Promise<string> {
  const missing = (error: unknown): never => {
    const code = (error as NodeJS.ErrnoException).code;
    const why = code === 'ENOENT' || code === 'ENOTDIR' ? 'there is no such file' : (error as Error).message;
    throw new LxdError('invalid', `cannot use "${source}": ${why} in ${directory}`, { cause: error });
  };
  const [root, real] = await Promise.all([
    realpath(directory),
    realpath(join(directory, source)).catch(missing),
  ]);
  const within = relative(root, real);
  if (within === '..' || within.startsWith(`..${sep}`))
    throw new LxdError(
      'invalid',
      `cannot use "${source}": it is a link out of the directory of the document`,
    );
  return real;
}

/** A file, or a directory with all that is in it; links in it stay links. Sorted. @throws LxdError `invalid` */
export async function sourceNodes(
  directory: string,
  source: string,
  to: { path: string; mode?: number },
): Promise<FileNode[]> {
  const nodes: FileNode[] = [];
  const visit = async (from: string, path: string, shown: string): Promise<void> => {
    const found = await lstat(from);
    if (found.isDirectory()) {
      nodes.push({ path, type: 'directory', mode: to.mode === undefined ? 0o755 : directoryMode(to.mode) });
      for (const name of (await readdir(from)).sort())
        await visit(join(from, name), posix.join(path, name), posix.join(shown, name));
    } else if (found.isSymbolicLink()) {
      nodes.push({ path, type: 'symlink', target: await readlink(from) });
    } else if (found.isFile()) {
      nodes.push({
        path,
        type: 'file',
        mode: to.mode ?? plainMode(found),
        ...(await digest(from, shown)),
        open: async () => (await openFile(from, shown)).createReadStream(),
      });
    } else
      throw new LxdError('invalid', `"${shown}" is a device, a socket or a FIFO: it cannot be in an image`);
  };
  await visit(await locateSource(directory, source), to.path, source);
  return nodes;
}

/** A file of text that the document gives, or that was made of one. */
export const textNode = (text: string, { path, mode }: { path: string; mode?: number }): FileNode => {
  const content = Buffer.from(text);
  return {
    path,
    type: 'file',
    mode: mode ?? 0o644,
    sha256: createHash('sha256').update(content).digest('hex'),
    size: content.length,
    open: () => Promise.resolve(Readable.from([content])),
  };
};
