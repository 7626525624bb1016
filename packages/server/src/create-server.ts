import type { Server } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Operations } from '@lxd-ts/operations';
import { fingerprintOf, type MemberDescription } from '@lxd-ts/rpc';
import type { Records, Store } from '@lxd-ts/state';
import { AgentRegistry } from './cluster/agents.ts';
import { leaderDuties } from './cluster/duties.ts';
import type { Duty } from './cluster/leader.ts';
import { Hwaddrs } from './cluster/hwaddrs.ts';
import { bePresent, lead } from './cluster/leader.ts';
import { finishLater } from './cluster/unfinished.ts';
import { Lanes } from './cluster/lanes.ts';
import { noPeers, type Peers } from './cluster/peers.ts';
import { certificatesRoutes } from './features/certificates/routes.ts';
import { backupDuties, recoverInstanceBackups } from './features/backups/backups.ts';
import { certificatesService } from './features/certificates/service.ts';
import { metadataRoutes } from './features/instances/metadata.ts';
import { explainRoutes } from './features/cluster/explain.ts';
import type { EvacuationContext } from './features/cluster/evacuate.ts';
import { groupRoutes } from './features/cluster/group-routes.ts';
import { groupsService } from './features/cluster/groups.ts';
import { recoverMembers } from './features/cluster/recover.ts';
import { memberActionRoutes } from './features/cluster/member-actions.ts';
import { memberRoutes } from './features/cluster/member-routes.ts';
import { clusterRoutes, type ClusterOptions } from './features/cluster/routes.ts';
import { EventHub } from './features/events/hub.ts';
import { joinEvents } from './features/events/mesh.ts';
import { eventsRoutes } from './features/events/routes.ts';
import { toldLog } from './features/events/told-log.ts';
import { ImagePuller } from './features/images/pull.ts';
import { filesRoutes } from './features/files/routes.ts';
import { FilesService } from './features/files/service.ts';
import { imageUpdates } from './features/images/refresh.ts';
import { imagesRoutes } from './features/images/routes.ts';
import { imagesService } from './features/images/service.ts';
import { moveInstance } from './features/instances/move.ts';
import { instancesRoutes } from './features/instances/routes.ts';
import { runningSpecs } from './features/instances/observe.ts';
import { Leases } from './features/instances/leases.ts';
import { snapshotDuties } from './features/instances/snapshot-duties.ts';
import { instancesService, type InstancesService } from './features/instances/service.ts';
import { internalRoutes, type InternalOptions } from './features/internal/routes.ts';
import { networksRoutes } from './features/networks/routes.ts';
import { networksService } from './features/networks/service.ts';
import { operationsRoutes } from './features/operations/routes.ts';
import { profilesRoutes } from './features/profiles/routes.ts';
import { ProfilesService } from './features/profiles/service.ts';
import { projectsRoutes } from './features/projects/routes.ts';
import { resourcesRoutes } from './features/resources/routes.ts';
import { serverRoutes } from './features/server/routes.ts';
import { ServerService, type ServerOptions } from './features/server/service.ts';
import { allDrivers } from './features/shared/drivers.ts';
import { InFlight } from './features/shared/in-flight.ts';
import { forgetTokens } from './features/shared/token-life.ts';
import { catchUp } from './features/shared/parts/arrears.ts';
import { partsOf, restoreMember } from './features/shared/parts/restore.ts';
import { storagePoolsRoutes } from './features/storage-pools/routes.ts';
import { storagePoolsService } from './features/storage-pools/service.ts';
import { volumeDuties } from './features/volumes/duties.ts';
import { recoverVolumeBackups, volumeBackupDuties } from './features/volume-backups/backups.ts';
import { describedOperations } from './features/descriptions/described-operations.ts';
import { describedRoutes } from './features/descriptions/described-routes.ts';
import { Descriptions } from './features/descriptions/descriptions.ts';
import { recoverRoutes } from './features/recover/routes.ts';
import { recoverVolumes } from './features/volumes/recover.ts';
import { volumesRoutes } from './features/volumes/routes.ts';
import { warningsRoutes } from './features/warnings/routes.ts';
import { Authenticator } from './http/authenticate.ts';
import { createApp } from './http/app.ts';
import type { Logger, Services } from './services.ts';

export interface ApiServerOptions {
  records: Records;
  operations: Operations;
  log: Logger;
  /** Name of this member. */
  server: string;
  clock: { now(): Date };
  uuid(): string;
  info: Omit<ServerOptions, 'describe'>;
  internal: Omit<InternalOptions, 'stopMember'>;
  cluster: ClusterOptions;
  peers?: Peers;
  /** Of the leader, beside its own. */
  duties?: readonly Duty[];
  /** Instead of `cluster.offline_threshold`; for tests. */
  offlineThresholdMs?: number | undefined;
}

/** Disposing lets go of the agents; `events.close()` is left for the very end. */
export interface ApiServer extends AsyncDisposable {
  /** Listens nowhere itself. */
  http: Server;
  /** A connection that another member passes on. */
  acceptForwarded(member: string, connection: Duplex): void;
  /** Listens on the network as it is configured to. */
  listen(): Promise<void>;
  agents: AgentRegistry;
  instances: InstancesService;
  /** Finishes or rolls back what these API servers left half done; what cannot be reached now stays for the next time. */
  recover(servers: readonly string[], options: { signal: AbortSignal }): Promise<void>;
  /**
   * Shows until aborted that this server is alive, finishes what it left unfinished, and does what one server does for
   * all whenever it is its turn.
   */
  lead(store: Store, options: { signal: AbortSignal }): Promise<void>;
  events: EventHub;
}

const unknownMember: MemberDescription = {
  version: '',
  hostname: '',
  architectures: [],
  kernel: { name: '', version: '', architecture: '', features: {} },
  os: { name: '', version: '' },
  lxcVersion: '',
  lxcFeatures: {},
  firewall: '',
  storageDrivers: [],
  networkTypes: [],
  cpus: 0,
  memoryBytes: 0,
  memoryFreeBytes: 0,
};

/** How long a member may be silent before it counts as offline. */
const offlineThresholdMs = (records: Records): number =>
  Number(records.get('serverConfig')?.value.config['cluster.offline_threshold'] ?? 20) * 1000;

/** The control plane's API over these records. Nothing listens, and no agent is connected, until the caller says so. */
export function createServer(options: ApiServerOptions): ApiServer {
  const { records, operations, server, clock, uuid } = options;
  const events = new EventHub(clock, options.info.clustered ? server : 'none');
  const log = toldLog(options.log, events);
  const agents: AgentRegistry = new AgentRegistry({
    log,
    own: server,
    thresholdMs: () => options.offlineThresholdMs ?? offlineThresholdMs(records),
    onObservation: (member, observation, signal) => instances.observe(member, observation, { signal }),
    onConnected: async (member, { architectures: [architecture = ''] }, signal) => {
      await records.modify(
        'members',
        [member],
        (value) => (value.architecture === architecture ? undefined : { ...value, architecture }),
        { signal },
      );
      await restoreMember(services, member, () => runningSpecs(instances.context, member), signal);
      await catchUp(services, allDrivers, member, { signal });
    },
  });
  const { peers = noPeers } = options;
  const hwaddrs = new Hwaddrs(records);
  const services: Services = {
    records,
    operations: describedOperations(operations, () => descriptions),
    agents,
    peers,
    hwaddrs,
    events,
    log,
    server,
    lanes: new Lanes(),
    clock,
    uuid,
  };
  const descriptions = new Descriptions(services);
  const puller = new ImagePuller(services);
  const instances = instancesService(services, allDrivers, puller);
  const leases = new Leases(instances.context);
  const files = new FilesService(instances.context);
  const info = new ServerService(services, {
    ...options.info,
    describe: () =>
      agents.description(server) ??
      agents.online().map((name) => agents.description(name))[0] ??
      unknownMember,
  });
  const pools = storagePoolsService(services, allDrivers);
  const volumes = { services, working: new InFlight(), drivers: allDrivers };
  const networks = networksService(services, allDrivers);
  const cluster: EvacuationContext = {
    services,
    control: options.cluster.control,
    drivers: allDrivers,
    tokens: new Set(),
    inHand: new Set(),
    instances: instances.context,
    move: (ref, target, operation) => moveInstance(instances.context, ref, target, operation),
  };
  const certificates = certificatesService(services, {
    addresses: () => info.addresses(),
    fingerprint: () => fingerprintOf(options.info.certificate()),
  });
  const routes = [
    ...serverRoutes(info),
    ...eventsRoutes(events),
    ...operationsRoutes(services),
    ...describedRoutes(instancesRoutes(instances), descriptions),
    ...filesRoutes(files),
    ...imagesRoutes(services, puller),
    ...profilesRoutes(new ProfilesService(instances.context)),
    ...storagePoolsRoutes(services, pools),
    ...volumesRoutes(volumes),
    ...networksRoutes(services, networks),
    ...projectsRoutes(services),
    ...certificatesRoutes(certificates),
    ...clusterRoutes(cluster),
    ...memberRoutes(cluster),
    ...memberActionRoutes(cluster),
    ...groupRoutes(groupsService(cluster)),
    ...metadataRoutes(instances.context),
    ...explainRoutes(instances.context),
    ...resourcesRoutes(services),
    ...warningsRoutes(),
    ...recoverRoutes({ services, drivers: allDrivers }),
    ...internalRoutes({
      ...options.internal,
      stopMember: async (member) => {
        const { signal } = new AbortController();
        await instances.stopAll(member, Infinity, { signal });
        await agents.get(member).release(partsOf(records, member), { signal });
      },
    }),
  ];
  const authenticator = new Authenticator(records, () => clock.now());
  const http = createApp({
    routes,
    log,
    callerOf: (request) => authenticator.callerOf(request),
  });
  const mesh = joinEvents(events, peers);
  const listener = operations.onChange((operation, project) => events.operation(operation, project));
  const recover: ApiServer['recover'] = async (servers, given) => {
    // Instances stand on all of these.
    await pools.recover(servers, given);
    await networks.recover(servers, given);
    await recoverVolumes(volumes, servers, given);
    await instances.recover(servers, given);
    await recoverInstanceBackups(services, servers);
    await recoverVolumeBackups(services, servers);
    await recoverMembers(cluster, servers, given);
    await certificates.recover(servers, given);
    await forgetTokens(records, 'imageTokens', servers, (id) => operations.isRunning(id), given.signal);
  };
  return {
    http,
    acceptForwarded: (member, connection) => {
      authenticator.trustForwarded(connection, member);
      http.emit('connection', connection);
    },
    listen: () => info.listen(),
    agents,
    instances,
    events,
    recover,
    lead: async (store, { signal }) => {
      const caller = { protocol: 'unix', trusted: true, username: 'root' } as const;
      const images = imagesService(services);
      const own = leaderDuties(services, {
        store,
        recover,
        deleteImage: (project, fingerprint) => images.delete(project, fingerprint, caller),
      });
      const candidate = {
        name: server,
        log,
        duties: [
          ...own,
          ...snapshotDuties(instances.context),
          leases.duty(),
          imageUpdates(services, puller),
          ...backupDuties(services),
          ...volumeBackupDuties(services),
          ...volumeDuties(volumes),
          descriptions.duty(),
          ...(options.duties ?? []),
        ],
        signal,
      };
      await Promise.all([
        bePresent(store, candidate),
        lead(store, candidate),
        finishLater(services, { recover, signal }),
      ]);
    },
    [Symbol.asyncDispose]: () => {
      listener[Symbol.dispose]();
      descriptions[Symbol.dispose]();
      leases[Symbol.dispose]();
      mesh[Symbol.dispose]();
      files[Symbol.dispose]();
      agents[Symbol.dispose]();
      hwaddrs[Symbol.dispose]();
      instances.context.placer[Symbol.dispose]();
      return Promise.resolve();
    },
  };
}
