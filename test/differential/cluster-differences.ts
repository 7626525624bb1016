import type { KnownDifference } from './differences.ts';

/** Every known difference from a cluster of LXD 5.0.2, with its reason. One that is no longer there fails the test. */
export const knownClusterDifferences: readonly KnownDifference[] = [
  {
    step: /^(GET \/1\.0\/cluster\/members|lxc cluster (list$|show m1$))/,
    field: /(roles\/\[\]\/database(-leader)?|\/database|^stdout)$/,
    reason: 'who leads the database, and which of the others has a vote, is up to each cluster',
  },
  {
    step: /^PUT \/1\.0\/cluster\/certificate/,
    field: /^error$/,
    reason: 'a refused body is told by the field that is wrong',
  },
  {
    step: /^POST \/1\.0\/cluster\/groups \{"name":"g1","members":\["nope"\]\}$|^(POST|DELETE) \/1\.0\/cluster\/groups\/nope|^lxc cluster group delete g2$/,
    field: /^(status|error|stderr)$/,
    reason: 'what is not there is a 404 that says so, not an error of the database',
  },
  {
    step: /^token operation$/,
    field: /^metadata\/resources\/cluster$/,
    reason: 'an empty list is an empty list',
  },
  {
    step: /^GET \/1\.0\/storage-pools\//,
    field: /^etag$/,
    reason: 'every record that can be changed has an ETag, so that its change can be guarded',
  },
  {
    step: /^POST \/1\.0\/storage-pools\?target=m1 \{"name":"p1"\}$/,
    field: /^error$/,
    reason: 'a field that is missing is told by its name',
  },
  {
    step: /^GET \/1\.0\/(storage-pools\/p1|networks\/n1)/,
    field: /^metadata\/description$/,
    reason: 'a description that was given stays until another is given',
  },
  {
    step: /^GET \/1\.0\/instances\/c3$/,
    field: /volatile\.last_state\.idmap$/,
    reason: 'owners on disk are not shifted where the kernel maps them at the mount',
  },
];
