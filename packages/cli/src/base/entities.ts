import type { Entity } from './entity.ts';

export const profile: Entity = {
  collection: 'profiles',
  noun: 'profile',
  words: 'profile',
  editable: ['config', 'description', 'devices'],
};

export const network: Entity = {
  collection: 'networks',
  noun: 'network',
  words: 'network',
  editable: ['config', 'description'],
};

export const storagePool: Entity = {
  collection: 'storage-pools',
  noun: 'storage pool',
  words: 'storage',
  editable: ['config', 'description'],
};

/** What may be changed of an instance. */
export const instanceFields = [
  'architecture',
  'config',
  'devices',
  'ephemeral',
  'profiles',
  'stateful',
  'description',
] as const;
