import { LxdError } from './errors.ts';
import { fieldsOf, listOf, textOf, type Fields } from './fields.ts';

/** A file of an image on a server of images. */
export interface StreamFile {
  kind: 'unified' | 'metadata' | 'rootfs';
  /** Below the server's address. */
  path: string;
  /** Bytes. */
  size: number;
}

/** A container image as a server of images describes it, in LXD's terms. */
export interface StreamImage {
  fingerprint: string;
  /** Of this machine's kind first, then those that name the kind: `debian/12`, `debian/12/amd64`. */
  aliases: string[];
  architecture: string;
  /** Bytes of all its files. */
  size: number;
  filename: string;
  properties: Record<string, string>;
  /** ISO 8601; empty: unsaid. */
  createdAt: string;
  expiresAt: string;
  /** In the order of the fingerprint. */
  files: StreamFile[];
  /** What makes the root filesystem of those that have the image `base` (xdelta3), in place of its whole file. */
  deltas: (Omit<StreamFile, 'kind'> & { base: string })[];
}

/** Debian's names of kinds of machines → LXD's. */
const architectures: Readonly<Record<string, string>> = {
  amd64: 'x86_64',
  arm64: 'aarch64',
  armel: 'armv6l',
  armhf: 'armv7l',
  i386: 'i686',
  powerpc: 'ppc',
  ppc64: 'ppc64',
  ppc64el: 'ppc64le',
  riscv64: 'riscv64',
  s390x: 's390x',
};

/** Below the server and nowhere else. */
const isPath = (path: string): boolean =>
  path !== '' && !/^[/\\]|:\/\/|[\0\r\n\\]/.test(path) && !path.split('/').includes('..');

/** Nobody has more lists of images, or more mirrors; an index that names very many is no index. */
const maxLists = 50;
const maxMirrors = 10;

/** Where the lists of images are, from `streams/v1/index.json`. @throws LxdError `unavailable` when it is none */
export function streamPaths(index: unknown): string[] {
  const { index: entries } = fieldsOf(index);
  if (entries === undefined) throw new LxdError('unavailable', 'The index of the server of images is none');
  const paths = Object.values(fieldsOf(entries))
    .map(fieldsOf)
    .filter(({ datatype }) => datatype === 'image-downloads')
    .map(({ path }) => textOf(path))
    .filter(isPath);
  if (paths.length > maxLists)
    throw new LxdError('unavailable', `The index of the server of images names more than ${maxLists} lists`);
  return paths;
}

/** Other places that have the same files, from `streams/v1/index.json`. */
export function streamMirrors(index: unknown): string[] {
  const { mirrors } = fieldsOf(index);
  return listOf(mirrors)
    .map(textOf)
    .filter((mirror) => URL.parse(mirror)?.protocol === 'https:')
    .slice(0, maxMirrors)
    .map((mirror) => mirror.replace(/\/+$/, ''));
}

/** `20260131_05:24` → that day. */
function dayOf(version: string): string {
  const [, year, month, day] = /^(\d{4})(\d{2})(\d{2})/.exec(version) ?? [];
  const date = year === undefined ? undefined : new Date(`${year}-${month}-${day}T00:00:00Z`);
  return date && !Number.isNaN(date.getTime()) ? date.toISOString().replace('.000Z', 'Z') : '';
}

const sha256 = /^[0-9a-f]{64}$/;

type Variant = Pick<StreamImage, 'fingerprint' | 'files' | 'deltas'> & { type: string };

const itemsOf = (version: unknown): Fields[] =>
  Object.values(fieldsOf(fieldsOf(version)['items'])).map(fieldsOf);
const metadataOf = (items: readonly Fields[]): Fields | undefined =>
  items.find(({ ftype }) => ftype === 'lxd.tar.xz');
const locationOf = (item: Fields) => ({
  path: textOf(item['path']),
  size: typeof item['size'] === 'number' ? item['size'] : 0,
});
const squashfsHash = 'combined_squashfs_sha256';

/** What can be made of a version's files: a squashfs first, then a tarball, then what is one file. */
function variantsOf(versions: Fields, version: string): Variant[] {
  const all = itemsOf(versions[version]);
  const file = (kind: StreamFile['kind'], item: Fields): StreamFile => ({ kind, ...locationOf(item) });
  const metadata = metadataOf(all);
  const deltas = all
    .filter(({ ftype }) => ftype === 'squashfs.vcdiff')
    .map((item) => {
      const before = metadataOf(itemsOf(versions[textOf(item['delta_base'])]));
      return { base: textOf(before?.[squashfsHash]), ...locationOf(item) };
    })
    .filter(({ base, path }) => sha256.test(base) && isPath(path));
  const split = (ftype: string, type: string, ...names: string[]): Variant[] => {
    const rootfs = all.find((item) => item['ftype'] === ftype);
    const fingerprint = names.map((name) => textOf(metadata?.[name])).find((value) => sha256.test(value));
    if (!metadata || !rootfs || fingerprint === undefined) return [];
    const files = [file('metadata', metadata), file('rootfs', rootfs)];
    return [{ fingerprint, type, files, deltas: ftype === 'squashfs' ? deltas : [] }];
  };
  const unified = all
    .filter(({ ftype }) => ftype === 'lxd_combined.tar.gz')
    .map((item) => ({
      fingerprint: textOf(item['sha256']),
      type: 'tar.gz',
      files: [file('unified', item)],
      deltas: [],
    }));
  return [
    ...split('squashfs', 'squashfs', squashfsHash),
    ...split('root.tar.xz', 'tar.xz', 'combined_rootxz_sha256', 'combined_sha256'),
    ...unified,
  ].filter(({ fingerprint, files }) => sha256.test(fingerprint) && files.every(({ path }) => isPath(path)));
}

function imagesOfProduct(value: unknown, native: string): StreamImage[] {
  const product = fieldsOf(value);
  const [arch, os, release, title, variant] = ['arch', 'os', 'release', 'release_title', 'variant'].map(
    (key) => textOf(product[key]),
  );
  const architecture = Object.hasOwn(architectures, arch ?? '') ? architectures[arch ?? ''] : undefined;
  if (arch === undefined || architecture === undefined) return [];
  let names = textOf(product['aliases'])
    .split(',')
    .map((name) => name.trim())
    .filter(Boolean)
    .flatMap((name) => [...(architecture === native ? [name] : []), `${name}/${arch}`]);
  const versions = fieldsOf(product['versions']);
  return Object.keys(versions)
    .sort()
    .reverse()
    .flatMap((version) => {
      const { label } = fieldsOf(versions[version]);
      return variantsOf(versions, version).map(({ fingerprint, type, files, deltas }) => {
        // The newest has the names.
        const aliases = names;
        names = [];
        const about = [os, title || release, arch, ...(label ? [`(${textOf(label)})`] : []), `(${version})`];
        const said = {
          architecture: arch,
          description: about.filter(Boolean).join(' '),
          label: textOf(label),
        };
        return {
          fingerprint,
          aliases,
          architecture,
          size: files.reduce((sum, { size }) => sum + size, 0),
          filename: files[0]?.path.split('/').pop() ?? '',
          properties: Object.fromEntries(
            Object.entries({
              ...said,
              os,
              release,
              serial: version,
              type,
              variant,
              version: textOf(product['version']),
            })
              .filter((pair): pair is [string, string] => Boolean(pair[1]))
              .sort(([a], [b]) => (a < b ? -1 : 1)),
          ),
          createdAt: dayOf(version),
          expiresAt: dayOf(textOf(product['support_eol']).replaceAll('-', '')),
          files,
          deltas,
        };
      });
    });
}

/**
 * The container images of a `products:1.0` document, those of a product newest first.
 * @param native kind of machine whose images have the plain names, as LXD names it
 */
export const streamImages = (document: unknown, native: string): StreamImage[] =>
  Object.values(fieldsOf(fieldsOf(document)['products'])).flatMap((product) =>
    imagesOfProduct(product, native),
  );

/** By a name, or by the beginning of a fingerprint. @throws LxdError `not-found`, `invalid` */
export function findStreamImage(images: readonly StreamImage[], name: string): StreamImage {
  const named = images.find(({ aliases }) => aliases.includes(name));
  if (named) return named;
  const found = images.filter(({ fingerprint }) => /^[0-9a-f]+$/.test(name) && fingerprint.startsWith(name));
  if (new Set(found.map(({ fingerprint }) => fingerprint)).size > 1)
    throw new LxdError('invalid', 'More than one match for the provided partial fingerprint');
  if (!found[0]) throw new LxdError('not-found', "The requested image couldn't be found");
  return found[0];
}
