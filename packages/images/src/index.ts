export { packingOfFile, tarFlags } from './compression.ts';
export {
  openImageStore,
  type ImageFile,
  type ImagePart,
  type ImageStore,
  type ReceivedImage,
} from './image-store.ts';
export { parseMetadata, type ImageMetadata } from './metadata.ts';
export type { OciLink } from './oci-store.ts';
