import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Host } from '@lxd-ts/host';
import type { ImageStore } from '@lxd-ts/images';
import type { Liblxc } from '@lxd-ts/liblxc';
import type { NetworkDriver } from '@lxd-ts/network';
import type { Agent, Bulk } from '@lxd-ts/rpc';
import type { StorageDriver } from '@lxd-ts/storage';
import type { AgentContext, AgentLogger } from './context.ts';
import { deleteBackup, keepBackups, readBackup, receiveBackup } from './backup/backups.ts';
import { openBackups } from './backup/places.ts';
import { publishImage } from './backup/publish.ts';
import { describeAll } from './instance/describe-all.ts';
import { adoptInstance } from './recover/adopt-instance.ts';
import { scanPool } from './recover/scan-pool.ts';
import { instanceSubject } from './backup/subject.ts';
import { writeBackup } from './backup/write-backup.ts';
import { CpuBalancer, cpuSetFile } from './cpu-balancer.ts';
import { DevLxd, type DevLxdOptions } from './devlxd/devlxd.ts';
import { describe } from './describe.ts';
import { exec, openConsole } from './exec.ts';
import { Files } from './files.ts';
import { hostFeatures } from './host-features.ts';
import { IdRanges } from './id-ranges.ts';
import { Instances } from './instances.ts';
import { hostInterfaces, interfaceState } from './interfaces.ts';
import { deleteUnpacked } from './instance/layers.ts';
import { instanceState } from './instance/state.ts';
import { KeyedLock } from './keyed-lock.ts';
import { Logs } from './logs.ts';
import { Migrations } from './migration/migrations.ts';
import { Networks } from './networks.ts';
import { Pools } from './pools.ts';
import { resources } from './resources/resources.ts';
import { RunStates } from './instance/run-state.ts';
import { TemplateStore } from './templates/store.ts';
import { holdsOf, VolumeHolds } from './volume-holds.ts';
import { Volumes } from './volumes.ts';

export interface AgentOptions {
  /** The daemon's directory. */
  dir: string;
  /** Version of the product. */
  version: string;
  host: Host;
  liblxc: Liblxc;
  images: ImageStore;
  storageDrivers: readonly StorageDriver[];
  networkDrivers: readonly NetworkDriver[];
  /** To other members. */
  bulk: Bulk;
  /** Told to the daemon around it. */
  membership: Agent['membership'];
  log: AgentLogger;
  /** Where device nodes of the host are, when not in `/dev`; and what the kernel tells of them. For tests. */
  devDir?: string | undefined;
  sysDir?: string | undefined;
  /** The program that forwards connections for proxy devices. */
  forwarder: string;
  /** The program that answers system calls of containers. */
  interceptor: string;
  /** The program that mounts layers for storage pools. */
  overlayProgram: string;
  /** The program that limits directories. */
  quotaProgram: string;
  /** Name of this member; `none` outside clusters. */
  location(): string;
  /** Sends the file of an image, or says that there is none, to an instance that may ask. */
  exportImage: DevLxdOptions['exportImage'];
  /** Eight random hex digits. */
  randomId(): string;
}

/** Modes are LXD's: others may pass through to a container's root by its id map, never list. */
const directories: readonly [string, number][] = [
  ['containers', 0o711],
  ['devices', 0o711],
  ['devlxd', 0o711],
  ['disks', 0o700],
  ['images', 0o700],
  ['logs', 0o700],
  ['networks', 0o711],
  ['security/seccomp', 0o700],
  ['snapshots', 0o700],
  ['storage-pools', 0o711],
  ['syscalls', 0o700],
];

/** The agent of this machine. Containers outlive it: disposing only stops watching them. */
export async function createAgent(options: AgentOptions): Promise<Agent & Disposable> {
  const { dir, host, overlayProgram, quotaProgram, log } = options;
  for (const [name, mode] of directories) await mkdir(join(dir, name), { recursive: true, mode });
  await openBackups(dir);
  const before = await new RunStates(dir).specs();
  const held = before.flatMap(holdsOf);
  const pools = new Pools(options.storageDrivers, { host, dir, overlayProgram, quotaProgram }, held);
  const networks = new Networks(options.networkDrivers, { host, dir });
  const context: AgentContext = {
    dir,
    host,
    liblxc: options.liblxc,
    images: options.images,
    pools,
    holds: new VolumeHolds(
      pools,
      held.filter(({ volume }) => volume.type === 'custom'),
    ),
    layers: new KeyedLock(),
    networks,
    bulk: options.bulk,
    devDir: options.devDir ?? '/dev',
    sysDir: options.sysDir ?? '/sys',
    forwarder: options.forwarder,
    interceptor: options.interceptor,
    features: await hostFeatures(),
    cpus: new CpuBalancer({
      online: () => readFile('/sys/devices/system/cpu/online', 'utf8'),
      get: (id) => options.liblxc.cgroupGet(id, cpuSetFile),
      set: (id, cpus) => options.liblxc.cgroupSet(id, cpuSetFile, cpus),
      onFailure: (id, error) => log.warn(`the CPUs of ${id} were not changed`, { error: String(error) }),
    }),
    devlxd: new DevLxd({
      location: () => options.location(),
      exportImage: options.exportImage,
      now: () => new Date(),
    }),
    ids: new IdRanges(),
    files: new Files(),
    log,
    randomId: () => options.randomId(),
  };
  const instances = new Instances(context);
  await instances.sweep();
  const run = options.randomId();
  const logs = new Logs(dir);
  const migrations = new Migrations(context);
  const volumes = new Volumes(context);
  const { images } = options;

  /** One that cannot be done keeps nobody from the others. */
  const each = async <T extends { name: string }>(
    all: T[],
    work: (one: T) => Promise<unknown>,
    what: string,
  ) => {
    for (const one of all) {
      await work(one).catch((error: unknown) => {
        log.error(`cannot ${what} ${one.name}`, { error: String(error) });
      });
    }
  };

  return {
    resources: () => resources(),
    describe: async ({ signal }) => ({ ...(await describe(context, options.version, signal)), run }),
    restore: async (what, call) => {
      await each(what.pools, (pool) => pools.open(pool, call), 'mount storage pool');
      await each(what.networks, (network) => networks.start(network, call), 'start network');
      await instances.adopt();
      await each(what.instances ?? [], (spec) => instances.catchUp(spec), 'bring up to date instance');
      instances.followDevices();
    },
    release: async (what, call) => {
      await context.files.closeAll();
      await each(what.networks, (network) => networks.stop(network, call), 'stop network');
      await each(what.pools, (pool) => pools.close(pool, call), 'unmount storage pool');
    },

    createPool: (pool, call) => pools.create(pool, call),
    updatePool: (before, after, call) => pools.update(before, after, call),
    deletePool: (pool, call) => pools.delete(pool, call),
    poolUsage: (pool, call) => pools.usage(pool, call),

    scanPool: (pool, call) => scanPool(context, pool, call),
    adoptInstance: (spec, shifted, call) =>
      instances.atRest(spec, () => adoptInstance(context, spec, shifted, call)),
    createVolume: (volume, call) => volumes.create(volume, call),
    copyVolume: (from, to, snapshots, call) => volumes.copy(from, to, snapshots, call),
    restoreVolume: (volume, snapshot, call) => volumes.restore(volume, snapshot, call),
    renameVolume: (from, to, call) => volumes.rename(from, to, call),
    deleteVolume: (volume, call) => volumes.delete(volume, call),
    sendVolume: (volume, request, streams, call) => migrations.sendVolume(volume, request, streams, call),
    receiveVolume: (volume, request, streams, call) =>
      migrations.receiveVolume(volume, request, streams, call),
    limitVolume: (volume, bytes, call) => volumes.limit(volume, bytes, call),
    volumeSize: (volume, call) => volumes.size(volume, call),
    volumeUsage: (volume, call) => volumes.usage(volume, call),

    createNetwork: (network, call) => networks.create(network, call),
    updateNetwork: (before, after, call) => networks.update(before, after, call),
    deleteNetwork: (network, call) => networks.delete(network, call),
    networkState: (name) => interfaceState(options.liblxc, name),
    networkLeases: (network, call) => networks.leases(network, call),
    hostInterfaces: () => hostInterfaces(),

    receiveImage: (parts, call) => images.receive(parts, call),
    missingBlobs: (digests) => images.missingBlobs(digests),
    sendImage: (fingerprint) => images.send(fingerprint),
    heldImages: async (ageMs) => {
      const now = Date.now();
      return (await images.held())
        .filter(({ since }) => now - since >= ageMs)
        .map(({ fingerprint }) => fingerprint);
    },
    deleteImage: async (fingerprint, specs, call) => {
      for (const spec of specs) await deleteUnpacked(context, spec, fingerprint, call);
      await images.delete(fingerprint);
    },
    deleteImageVolume: (pool, fingerprint, call) => deleteUnpacked(context, pool, fingerprint, call),

    createInstance: (spec, source, call) => instances.create(spec, source, call),
    deleteInstance: (spec, call) => instances.delete(spec, call),
    renameInstance: (spec, newName, call) => instances.rename(spec, newName, call),
    updateInstance: (before, after, call) => instances.update(before, after, call),
    offerMigration: () => Promise.resolve(migrations.offer()),
    sendInstance: (spec, request, streams, call) => migrations.send(spec, request, streams, call),
    receiveInstance: (spec, request, streams, call) => migrations.receive(spec, request, streams, call),
    createSnapshot: (spec, snapshot, call) => instances.createSnapshot(spec, snapshot, call),
    renameSnapshot: (spec, snapshot, newName, call) =>
      instances.renameSnapshot(spec, snapshot, newName, call),
    deleteSnapshot: (spec, snapshot, call) => instances.deleteSnapshot(spec, snapshot, call),
    settleSnapshots: (spec, known, call) => instances.settleSnapshots(spec, known, call),
    restoreSnapshot: (spec, snapshot, call) => instances.restoreSnapshot(spec, snapshot, call),
    refreshInstance: (spec, source, call) => instances.refresh(spec, source, call),
    deleteRoot: (spec, call) => instances.deleteRoot(spec, call),
    publishImage: (spec, request, call) =>
      instances.withFiles(spec, request.snapshot, call, (path) =>
        publishImage(context, spec, request, path, call),
      ),
    createBackup: (spec, request, call) =>
      instances.withStillFiles(spec, call, (files) =>
        writeBackup(context, instanceSubject(spec), request, files, call),
      ),
    createVolumeBackup: (volume, request, call) => volumes.backUp(volume, request, call),
    restoreVolumeBackup: (volume, source, call) => volumes.restoreBackup(volume, source, call),
    readBackup: (id) => readBackup(context, id),
    deleteBackup: (id) => deleteBackup(context, id),
    keepBackups: (ids) => keepBackups(context, ids),
    receiveBackup: (id, body, call) => receiveBackup(context, id, body, call),
    describeInstances: (descriptions, call) => describeAll(context, instances, descriptions, call),
    startInstance: (spec, call) => instances.start(spec, call),
    stopInstance: (spec, stop, call) => instances.stop(spec, stop, call),
    freezeInstance: (spec, call) => instances.freeze(spec, call),
    unfreezeInstance: (spec, call) => instances.unfreeze(spec, call),
    instanceStates: (specs, call) =>
      Promise.all(specs.map((spec) => instanceState(context, spec, instances.look(spec), call))),

    files: (spec, call) =>
      context.files.open(context, spec, () => instances.look(spec).status !== 'Stopped', call),
    exec: (spec, command, call) => exec(context, spec, command, call),
    console: (spec, size, call) => openConsole(context, spec, size, call),
    consoleLog: (spec) => logs.readConsole(spec),
    clearConsoleLog: (spec) => logs.clearConsole(spec),
    logs: (ref) => logs.list(ref),
    rebuildInstance: (spec, source, call) => instances.rebuild(spec, source, call),
    metadata: (spec, call) => TemplateStore.within(context, spec, call, (store) => store.metadata()),
    setMetadata: (spec, metadata, call) =>
      TemplateStore.within(context, spec, call, (store) => store.setMetadata(metadata)),
    templates: (spec, call) => TemplateStore.within(context, spec, call, (store) => store.list()),
    readTemplate: async (spec, name, call) =>
      (await TemplateStore.within(context, spec, call, (store) => store.read(name))).toString('base64'),
    writeTemplate: (spec, name, content, call) =>
      TemplateStore.within(context, spec, call, (store) => store.write(name, Buffer.from(content, 'base64'))),
    deleteTemplate: (spec, name, call) =>
      TemplateStore.within(context, spec, call, (store) => store.delete(name)),
    readLog: (ref, file) => logs.read(ref, file),
    deleteLog: (ref, file) => logs.delete(ref, file),

    membership: (change, call) => options.membership(change, call),

    observe: (call) => instances.observe(call),
    [Symbol.dispose]: () => {
      void context.files.closeAll();
      context.devlxd[Symbol.dispose]();
      instances[Symbol.dispose]();
    },
  };
}
