import { backups } from './chapters/backups.ts';
import { blockVolumes } from './chapters/block-volumes.ts';
import { commandLine } from './chapters/command-line.ts';
import { devices } from './chapters/devices.ts';
import { errors } from './chapters/errors.ts';
import { files } from './chapters/files.ts';
import { images } from './chapters/images.ts';
import { imagesAndPools } from './chapters/images-more.ts';
import { instances } from './chapters/instances.ts';
import { metadata } from './chapters/metadata.ts';
import { networks } from './chapters/networks.ts';
import { profiles } from './chapters/profiles.ts';
import { publish } from './chapters/publish.ts';
import { server } from './chapters/server.ts';
import { snapshots } from './chapters/snapshots.ts';
import { states } from './chapters/states.ts';
import { storagePools } from './chapters/storage-pools.ts';
import { volumeBackups } from './chapters/volume-backups.ts';
import { customVolumes } from './chapters/volumes.ts';
import type { Step } from './step.ts';

/** In this order: each uses what those before it made. */
export const chapters: Readonly<Record<string, readonly Step[]>> = {
  server,
  'storage pools': storagePools,
  networks,
  profiles,
  images,
  'images and pools': imagesAndPools,
  instances,
  'metadata and templates': metadata,
  devices,
  'custom volumes': customVolumes,
  'block volumes': blockVolumes,
  'backups of volumes': volumeBackups,
  snapshots,
  backups,
  publish,
  states,
  files,
  errors,
  'the command line': commandLine,
};
