import { LxdError, ociKeys, type Config } from '@lxd-ts/core';
import { parse } from 'yaml';

/** What an image says of itself. Times in seconds since the epoch, 0 when unsaid. */
export interface ImageMetadata {
  architecture: string;
  creationDate: number;
  expiryDate: number;
  properties: Config;
  /** Of one made of an instance without an init system: the configuration that its instances begin with. */
  oci?: Config;
}

/** metadata.yaml of an honest image is a few kilobytes. */
export const maxMetadataBytes = 1024 * 1024;

const seconds = (value: unknown): number => (typeof value === 'number' && value > 0 ? Math.floor(value) : 0);

function properties(value: unknown): Config {
  if (value === null || typeof value !== 'object' || Array.isArray(value)) return {};
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, text]) => ['string', 'number', 'boolean'].includes(typeof text))
      .map(([key, text]) => [key, String(text)]),
  );
}

/** @throws LxdError `invalid` */
export function parseMetadata(text: string): ImageMetadata {
  let value: unknown;
  try {
    value = parse(text, { maxAliasCount: 20 });
  } catch (error) {
    const why = error instanceof Error ? error.message.split('\n')[0] : String(error);
    throw new LxdError('invalid', `The image's metadata.yaml is not YAML: ${why}`);
  }
  const metadata = (value ?? {}) as Record<string, unknown>;
  const { architecture } = metadata;
  if (typeof architecture !== 'string' || architecture === '') {
    throw new LxdError('invalid', 'The image\'s metadata.yaml has no "architecture"');
  }
  const oci = ociKeys(properties(metadata['oci']));
  return {
    ...(Object.keys(oci).length > 0 ? { oci } : {}),
    architecture,
    creationDate: seconds(metadata['creation_date']),
    expiryDate: seconds(metadata['expiry_date']),
    properties: properties(metadata['properties']),
  };
}
