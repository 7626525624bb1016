export interface KnownDifference {
  /** Name of a step. */
  step: RegExp;
  /** Path of a field in its outcome. */
  field: RegExp;
  reason: string;
}

/** Every known difference from LXD 5.0.2, with its reason. One that is no longer there fails the test. */
export const knownDifferences: readonly KnownDifference[] = [
  {
    step: /^lifecycle events$/,
    field: /^storage-volume-.* \/1\.0\/storage-pools\/\w+\/volumes\/custom\//,
    reason: 'LXD names volumes by their directories there; ours are the paths under which the API has them',
  },
  {
    step: /^GET \/custom\/v2\/state$|^lxc storage volume info plain2 c6$/,
    field: /^(metadata\/usage\/used|code|stdout|stderr)$/,
    reason: 'LXD tells the usage only of volumes with a limit, and fails for pools that cannot tell',
  },
  {
    step: /^GET \/custom\/v1$|^lxc storage volume show default v1b(\/kept)?$/,
    field: /^(metadata\/config\/volatile\.idmap\.(last|next)|stdout)$/,
    reason:
      'files of a volume have the owners that are seen inside; LXD writes the owners of one id map into them',
  },
  {
    step: /^lxc storage volume attach default (nope v3 no \/no|k1 v8 data \/data)$|^block: disk of an instance$|^lxc profile add v8 blocks$/,
    field: /^(stderr|error)$/,
    reason: 'the same refusal in clearer words',
  },
  {
    step: /^pool with volumes$/,
    field: /^etag$/,
    reason: 'LXD forgets it where a pool is in use',
  },
  {
    step: /^server$/,
    field: /^metadata\/api_extensions\//,
    reason: 'an extension is advertised only where all of it works',
  },
  {
    step: /^server$/,
    field: /storage_supported_drivers\/\[\]\/overlay$/,
    reason: 'a driver of our own',
  },
  {
    step: /^server$/,
    field: /kernel_features\/shiftfs$/,
    reason: 'shiftfs never came into the kernel; id-mapped mounts took its place',
  },
  {
    step: /^warnings$/,
    field: /^metadata/,
    reason: 'LXD warns of what this machine lacks for features that are not there yet',
  },
  {
    step: /^(malformed JSON|empty body|null|a list|a number) to |^wrong type|^wrong server value$|^number in config$|^exec of a word$/,
    field: /^error$/,
    reason: 'a refused body is told by the field that is wrong, not in words of a JSON decoder',
  },
  {
    step: /without a (name|driver)$|^(unknown|no) (source|action)$|^unknown instance type$/,
    field: /^error$/,
    reason: 'a field that is missing or none of its choices is told by its name, with the choices',
  },
  {
    step: /^lifecycle events$/,
    field: /^(image-(created|deleted)|storage-volume-deleted .*\/volumes\/images?\/)/,
    reason: 'images of instances have fingerprints of their own, and LXD names their volumes by directories',
  },
  {
    step: /^lxc publish (a snapshot|by force)$/,
    field: /^stdout$/,
    reason: 'each packs an archive of its own, with a fingerprint of its own',
  },
  {
    step: /^rename backup to taken$/,
    field: /^over\/err$/,
    reason: 'LXD shows the words of its database',
  },
  {
    step: /^(wrong pool size|bad boolean|back up( volume)?, unknown compression|patch pool with volume\.security\.\w+)$/,
    field: /^error$/,
    reason: 'the message adds what would be right',
  },
  {
    step: /^(device without a path|nic of unknown network|get unknown profile|lxc storage volume attach-profile default v2 nope data \/data|import rubbish|exec of nothing|stop that does not end|lxc config device set c1 d1 nope=1)$/,
    field: /^(error|over\/err|stderr)$/,
    reason: 'the same refusal in clearer words',
  },
  {
    step: /^(get btrfs pool|get dir pool|get put pool|get grown pool|get pool with defaults|pool in use|state )/,
    field: /^etag$/,
    reason: 'every record that can be changed has an ETag, so that its change can be guarded',
  },
  {
    step: /^get pool with defaults$/,
    field: /^metadata\/description$/,
    reason: 'a PATCH leaves what it does not name',
  },
  {
    step: /^(network state|lxc network info br1)$/,
    field: /^(metadata\/bridge|stdout)$/,
    reason: 'the details of a bridge come with the extension network_state_bond_bridge',
  },
  {
    step: /^create from image$/,
    field: /^over\/metadata\//,
    reason: 'an unpack that is over before it can be timed has no speed',
  },
  {
    step: /^resources$/,
    field: /^metadata\/(storage\/disks\/.*\/block_size|system\/type)$/,
    reason: 'the size of blocks is told; what kind of machine it is only where its firmware says so',
  },
  {
    step: /^(start|restart)$|^start(ed with templates| m1)$/,
    field: /^over\/metadata$/,
    reason: 'no shifting of owners, hence no progress of it',
  },
  {
    step: /^get (when running|changed|when frozen)$/,
    field: /volatile\.last_state\.idmap$/,
    reason: 'owners on disk are not shifted where the kernel maps them at the mount',
  },
  {
    step: /^(delete profile|wrong filter)$/,
    field: /^status$/,
    reason: "a caller's mistake is a 400, not a 500",
  },
  {
    step: /^start all of nothing$/,
    field: /^over\/resources\/instances$/,
    reason: 'an empty list is an empty list',
  },
  {
    step: /^lifecycle events$/,
    field: /^instance-log-retrieved /,
    reason: 'the event names the path that was asked for; LXD says backups where it means logs',
  },
  {
    step: /^lifecycle events$/,
    field: /^instance-console-(retrieved|reset) /,
    reason: 'told for a stopped instance too',
  },
  {
    step: /^lifecycle events$/,
    field: /^profile-updated \/1\.0\/profiles\/p3$/,
    reason: 'a refused change is not told as one',
  },
  {
    step: /^file: (below a file|a file as a directory|too long a name|write (below|to) (a file|a directory|the root)|make the link again|write through a loop|read below a loop|delete (below a file|the root|a directory that is not empty)) /,
    field: /^error$/,
    reason: 'what was tried and what the kernel said, in clearer words',
  },
  {
    step: /^lxc file (push \{dir\}\/push-me f1\/root|delete f1\/root\/push-tree)$/,
    field: /^stderr$/,
    reason: 'what was tried and what the kernel said, in clearer words',
  },
  {
    step: /^file: (a link|read the relative link) /,
    field: /^text$/,
    reason:
      'a link says what it says: made absolute it would lead elsewhere on the machine that it is pulled to',
  },
  {
    step: /^file: (bad owner|bad mode|delete bad2?) /,
    field: /^(status|type|error|metadata)/,
    reason: 'an owner or a mode that is none is refused, not passed over',
  },
  {
    step: /^file: make a directory of a file /,
    field: /^(status|type|error|metadata)/,
    reason: 'nobody is told of a directory where there is a file',
  },
  {
    step: /^file: look at set-user-ID /,
    field: /^file\/x-lxd-mode$/,
    reason: 'the bits of set-user-ID, set-group-ID and sticky are kept, and told',
  },
  {
    step: /^file: of the kernel$/,
    field: /^text$/,
    reason: 'files of the kernel have a content, though their size is 0',
  },
  {
    step: /^file: a device$/,
    field: /^/,
    reason: 'devices are never opened: what they do or give is up to who made them',
  },
];
