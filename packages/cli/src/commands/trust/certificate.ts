import type { Entity } from '../../base/entity.ts';

/** A client that the server trusts. */
export const certificate: Entity = {
  collection: 'certificates',
  noun: 'fingerprint',
  words: 'config trust',
  argument: 'fingerprint',
  editable: ['name', 'type', 'restricted', 'projects', 'certificate'],
};
