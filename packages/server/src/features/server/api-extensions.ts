/**
 * LXD's names for what this server can do. One is added when it works, never before: clients act on it.
 */
export const apiExtensions: readonly string[] = [
  // Requests and answers
  ...['etag', 'patch', 'entity_description', 'operation_description', 'usedby_consistency'],
  // Resources
  ...['resources_v2', 'resources_cpu_socket', 'resources_cpu_threads_numa', 'resources_cpu_core_die'],
  ...['resources_cpu_isolated', 'resources_numa', 'resources_gpu', 'resources_gpu_mdev', 'resources_gpu_usb'],
  ...['resources_network_usb', 'resources_infiniband', 'resources_disk_sata', 'resources_disk_id'],
  ...['resources_disk_address', 'resources_usb_pci', 'resources_pci_iommu', 'resources_system'],
  // Instances
  ...[
    'instances',
    'api_filtering',
    'container_full',
    'instance_get_full',
    'instance_all_projects',
    'instance_bulk_state_change',
    'instances_rebuild',
  ],
  ...['container_last_used_at', 'container_stop_priority', 'container_host_shutdown_timeout'],
  ...[
    'snapshot_expiry',
    'snapshot_expiry_creation',
    'snapshot_scheduling',
    'instance_snapshot_never',
    'container_incremental_copy',
    'instance_pool_move',
  ],
  ...[
    'container_stateless_copy',
    'container_cpu_time',
    'container_syscall_filtering',
    'container_syscall_filtering_allow_deny_syntax',
  ],
  ...[
    'container_local_cross_pool_handling',
    'container_protection_delete',
    'container_protection_shift',
    'kernel_limits',
    'linux_sysctl',
    'limits_hugepages',
    'id_map',
    'id_map_base',
    'id_map_current',
    'nvidia_runtime',
    'nvidia_runtime_config',
    'cloud_init',
    'restrict_devlxd',
    'devlxd_events',
  ],
  ...[
    'event_lifecycle',
    'event_location',
    'event_project',
    'network_state',
    'container_disk_shift',
    'container_raw_mount',
  ],
  ...['container_mount_propagation', 'unix_device_rename'],
  // Devices
  ...['proxy', 'proxy_unix', 'proxy_udp', 'proxy_tcp_udp_multi_port_handling', 'proxy_unix_dac_properties'],
  ...['proxy_priv_drop', 'proxy_haproxy_protocol', 'proxy_nat'],
  ...['usb_devices', 'usb_optional_vendorid', 'gpu_devices', 'unix_device_hotplug', 'unix_hotplug_devices'],
  ...['container_nic_routes', 'network_vlan', 'network_vlan_physical', 'instance_nic_bridged_vlan'],
  ...['instance_nic_bridged_port_isolation', 'container_nic_routed', 'container_nic_routed_gateway'],
  ...['container_nic_routed_host_address', 'container_nic_routed_host_table', 'container_nic_routed_limits'],
  // Migration
  ...[
    'container_push',
    'container_push_target',
    'container_only_migration',
    'migration_progress',
    'container_incremental_copy',
  ],
  // Backups
  ...['container_backup', 'container_backup_override_pool', 'backup_override_name'],
  ...['backup_compression', 'backup_compression_algorithm', 'custom_volume_backup'],
  ...['custom_volume_refresh'],
  // Files
  ...['directory_manipulation', 'file_delete', 'file_append', 'file_symlinks', 'file_get_symlink'],
  ...['instance_file_head'],
  // Exec and console
  ...[
    'container_edit_metadata',
    'container_exec_recording',
    'container_exec_signal_handling',
    'container_exec_user_group_cwd',
    'console',
  ],
  // Images
  ...[
    'image_create_aliases',
    'image_types',
    'image_force_refresh',
    'container_image_properties',
    'compression_squashfs',
    'images_push_relay',
    'image_profiles',
  ],
  // Profiles
  ...['profile_usedby'],
  // Storage
  ...[
    'storage',
    'resource_limits',
    'storage_volatile_initial_source',
    'storage_btrfs_mount_options',
    'storage_images_delete',
    'storage_api_volume_rename',
    'storage_api_local_volume_handling',
    'storage_api_volume_snapshots',
    'storage_api_remote_volume_handling',
    'storage_api_remote_volume_snapshots',
    'storage_unmapped',
    'storage_shifted',
    'storage_volume_state',
    'storage_volume_state_total',
    'storage_volume_api_filtering',
    'custom_block_volumes',
    'custom_volume_snapshot_expiry',
    'volume_snapshot_scheduling',
  ],
  ...['storage_rsync_bwlimit', 'storage_rsync_compression', 'server_supported_storage_drivers'],
  // Networks
  ...[
    'network',
    'network_routes',
    'network_firewall_filtering',
    'network_dhcp_expiry',
    'network_dhcp_gateway',
  ],
  ...[
    'network_leases',
    'network_leases_location',
    'network_hwaddr',
    'network_nat_address',
    'network_dns_search',
  ],
  ...['instance_nic_network', 'firewall_driver'],
  // Trust
  ...['certificate_update', 'certificate_project', 'certificate_token'],
  // Server
  ...['resources', 'kernel_features', 'lxc_features', 'api_os', 'projects', 'warnings'],
  // Clusters
  ...['clustering', 'clustering_join', 'clustering_join_token', 'cluster_join_token_expiry'],
  ...['clustering_roles', 'clustering_edit_roles', 'clustering_failure_domains', 'clustering_architecture'],
  ...[
    'clustering_description',
    'clustering_config',
    'clustering_groups',
    'clustering_evacuation',
    'clustering_update_cert',
  ],
  // Our own
  ...['lxdts_cluster_explain', 'lxdts_reproducible_images', 'lxdts_instance_lease', 'lxdts_image_oci'],
];
