import { LxdError } from '../errors.ts';
import { fieldsOf, listOf, textOf, type Fields } from '../fields.ts';
import { checkOciDigest } from './reference.ts';

/** A piece of content by its digest; size in bytes. */
export interface OciDescriptor {
  mediaType: string;
  digest: string;
  size: number;
}

export interface OciLayer extends OciDescriptor {
  packing: 'tar' | 'gzip' | 'zstd';
}

export interface OciManifest {
  config: OciDescriptor;
  /** The lowest first. */
  layers: OciLayer[];
}

/** What a registry may answer for a name: an image, or a list of images for several kinds of machine. */
export type OciDocument =
  { kind: 'manifest'; manifest: OciManifest } | { kind: 'index'; entries: OciEntry[] };

export interface OciEntry extends OciDescriptor {
  os: string;
  architecture: string;
  variant: string;
}

const oci = 'application/vnd.oci.image';
const docker = 'application/vnd.docker';
const indexTypes = [`${oci}.index.v1+json`, `${docker}.distribution.manifest.list.v2+json`];
const manifestTypes = [`${oci}.manifest.v1+json`, `${docker}.distribution.manifest.v2+json`];

/** For an `Accept` header. */
export const ociDocumentTypes: readonly string[] = [...indexTypes, ...manifestTypes];

/** Documents of honest registries are some kilobytes. */
export const maxOciDocumentBytes = 4 * 1024 * 1024;
const maxLayers = 500;

const packings: Readonly<Record<string, OciLayer['packing']>> = {
  [`${oci}.layer.v1.tar`]: 'tar',
  [`${oci}.layer.v1.tar+gzip`]: 'gzip',
  [`${oci}.layer.v1.tar+zstd`]: 'zstd',
  [`${docker}.image.rootfs.diff.tar`]: 'tar',
  [`${docker}.image.rootfs.diff.tar.gzip`]: 'gzip',
};

const invalid = (why: string): LxdError => new LxdError('invalid', `The registry's image ${why}`);

function descriptor(value: unknown): OciDescriptor {
  const { mediaType, digest, size } = fieldsOf(value);
  if (typeof size !== 'number' || !Number.isSafeInteger(size) || size < 0)
    throw invalid('has a part without a size');
  return { mediaType: textOf(mediaType), digest: checkOciDigest(digest), size };
}

function layer(value: unknown): OciLayer {
  const found = descriptor(value);
  if (/nondistributable|foreign/.test(found.mediaType) || listOf(fieldsOf(value)['urls']).length > 0)
    throw invalid(
      `has a layer (${found.mediaType}) that may not be distributed and is to be fetched from elsewhere: that is not done`,
    );
  const packing = Object.hasOwn(packings, found.mediaType) ? packings[found.mediaType] : undefined;
  if (!packing) throw invalid(`has a layer of a kind that is not known here: "${found.mediaType}"`);
  return { ...found, packing };
}

/** @throws LxdError `invalid`, also for what is no image of a container */
export function parseOciManifest(text: string): OciManifest {
  const document = parseOciDocument(text);
  if (document.kind !== 'manifest') throw invalid('is a list of images');
  return document.manifest;
}

/**
 * A manifest or an index, of OCI or of Docker (schema 2).
 * @param type what the registry says it is; '': it says so itself
 * @throws LxdError `invalid`
 */
export function parseOciDocument(text: string, type = ''): OciDocument {
  let fields: Fields;
  try {
    fields = fieldsOf(JSON.parse(text));
  } catch (error) {
    throw new LxdError('invalid', "The registry's manifest is not JSON", { cause: error });
  }
  if (fields['schemaVersion'] !== 2)
    throw invalid(
      `has a manifest of version ${String(fields['schemaVersion'])}: only version 2 is known here`,
    );
  const told = textOf(fields['mediaType']) || type;
  if (indexTypes.includes(told) || (told === '' && fields['manifests'] !== undefined)) {
    // One that could be read as both would be another image for each reader.
    if (fields['layers'] !== undefined || fields['config'] !== undefined)
      throw invalid('is a list of images and an image at once');
    const entries = listOf(fields['manifests']).map((entry): OciEntry => {
      const platform = fieldsOf(fieldsOf(entry)['platform']);
      const [os, architecture, variant] = ['os', 'architecture', 'variant'].map((key) =>
        textOf(platform[key]),
      );
      return { ...descriptor(entry), os: os ?? '', architecture: architecture ?? '', variant: variant ?? '' };
    });
    return { kind: 'index', entries };
  }
  if (told !== '' && !manifestTypes.includes(told))
    throw invalid(`has a manifest of an unknown kind: "${told}"`);
  if (fields['manifests'] !== undefined) throw invalid('is a list of images and an image at once');
  const config = descriptor(fields['config']);
  if (![`${oci}.config.v1+json`, `${docker}.container.image.v1+json`].includes(config.mediaType))
    throw invalid(`is no image of a container, but something else ("${config.mediaType}")`);
  const layers = listOf(fields['layers']).map(layer);
  if (layers.length > maxLayers) throw invalid(`has more than ${maxLayers} layers`);
  return { kind: 'manifest', manifest: { config, layers } };
}

/** LXD's names of kinds of machine by those of OCI: `architecture` or `architecture/variant`. */
const architectures: Readonly<Record<string, string>> = {
  '386': 'i686',
  amd64: 'x86_64',
  arm64: 'aarch64',
  'arm64/v8': 'aarch64',
  'arm/v5': 'armv6l',
  'arm/v6': 'armv6l',
  'arm/v7': 'armv7l',
  arm: 'armv7l',
  mips: 'mips',
  mips64le: 'mips64',
  ppc64le: 'ppc64le',
  riscv64: 'riscv64',
  s390x: 's390x',
};

/** As LXD names it; '' where it has no name for it. */
export const architectureOfOci = (architecture: string, variant = ''): string =>
  architectures[variant === '' ? architecture : `${architecture}/${variant}`] ??
  architectures[architecture] ??
  '';

/** An older kind of machine is better than none: from the best on. */
const better = ({ variant }: OciEntry): number => Number(/^v(\d+)$/.exec(variant)?.[1] ?? 0);

/**
 * The image of an index that is for this kind of machine.
 * @param architecture as LXD names it
 * @throws LxdError `not-found` naming those that there are
 */
export function selectOciEntry(entries: readonly OciEntry[], architecture: string): OciEntry {
  const usable = entries.filter(({ os, mediaType }) => os === 'linux' && !indexTypes.includes(mediaType));
  // Some say nothing of the only image they have.
  if (entries.length === 1 && entries[0]?.os === '') return entries[0];
  const same = usable.filter(
    (entry) => architectureOfOci(entry.architecture, entry.variant) === architecture,
  );
  // `amd64/v3` is for newer machines only.
  const plain = architecture === 'x86_64' ? same.filter(({ variant }) => ['', 'v1'].includes(variant)) : same;
  const best = [...plain].sort((a, b) => better(b) - better(a))[0];
  if (best) return best;
  const names = [...new Set(usable.map((one) => architectureOfOci(one.architecture, one.variant)))].filter(
    Boolean,
  );
  throw new LxdError(
    'not-found',
    `The registry has no image for ${architecture}: ${names.length > 0 ? `only for ${names.join(', ')}` : 'none for Linux'}`,
  );
}
