// Generated from api-spec/openapi.yaml by scripts/generate.ts. Do not edit.
export interface paths {
    "/": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** List the API versions */
        get: operations["apiGet"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/streams/v1/index.json": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Where simplestreams finds the list of public images
         * @description For clients that read servers of images; what they find is what is public in the default project.
         */
        get: operations["streamIndexGet"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/streams/v1/images.json": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** List the public images as products of simplestreams */
        get: operations["streamImagesGet"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/streams/v1/files/{fingerprint}/{filename}": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description SHA-256 of the image, or the first characters of it. */
                fingerprint: components["parameters"]["Fingerprint"];
                /** @description Which of the files of the image, as the list of images names it. */
                filename: components["parameters"]["ImageFileName"];
            };
            cookie?: never;
        };
        /** Read a file of a public image */
        get: operations["streamFileGet"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/1.0": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Show the server, its environment and its configuration
         * @description An untrusted client gets the part that ServerUntrusted names.
         */
        get: operations["serverGet"];
        /**
         * Replace the server configuration
         * @description Keys that are left out are unset.
         */
        put: operations["serverPut"];
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        /**
         * Change some keys of the server configuration
         * @description A key with an empty value is unset.
         */
        patch: operations["serverPatch"];
        trace?: never;
    };
    "/1.0/events": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Follow what happens on the server
         * @description Every text message of the websocket is one Event.
         */
        get: operations["eventsGet"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/1.0/operations": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List the operations
         * @description They are grouped by status in lower case; a status without operations is left out. Finished operations are listed for a few seconds.
         */
        get: operations["operationsGet"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/1.0/operations/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description UUID of the operation. */
                id: components["parameters"]["OperationId"];
            };
            cookie?: never;
        };
        /** Show an operation */
        get: operations["operationGet"];
        put?: never;
        post?: never;
        /**
         * Cancel an operation
         * @description Refused when its `may_cancel` is false.
         */
        delete: operations["operationDelete"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/1.0/operations/{id}/wait": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description UUID of the operation. */
                id: components["parameters"]["OperationId"];
            };
            cookie?: never;
        };
        /**
         * Wait until an operation has finished
         * @description Answers early with the unfinished operation when the time is over. A failed operation is a successful answer; its `status_code` and `err` tell.
         */
        get: operations["operationWaitGet"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/1.0/operations/{id}/websocket": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description UUID of the operation. */
                id: components["parameters"]["OperationId"];
            };
            cookie?: never;
        };
        /**
         * Connect to a stream of an operation
         * @description `metadata.fds` of the operation maps each stream to its secret. Streams of data carry binary messages; the control stream carries InstanceExecControl or InstanceConsoleControl as text messages. An empty text message ends a stream.
         */
        get: operations["operationWebsocketGet"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/1.0/instances": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List the instances
         * @description Recursion 1 gives Instance objects, recursion 2 InstanceFull ones.
         */
        get: operations["instancesGet"];
        /** Change the state of all instances of a project */
        put: operations["instancesPut"];
        /**
         * Create an instance
         * @description Without a name one is made up; the operation’s resources tell it. The instance is left stopped. A body of type `application/octet-stream` is a backup of an instance, which is made again from it.
         */
        post: operations["instancesPost"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/1.0/instances/{name}": {
        parameters: {
            query?: {
                /** @description Project to work in. */
                project?: components["parameters"]["Project"];
            };
            header?: never;
            path: {
                /** @description Name of the instance. */
                name: components["parameters"]["InstanceName"];
            };
            cookie?: never;
        };
        /**
         * Show an instance
         * @description Recursion 1 gives an InstanceFull.
         */
        get: operations["instanceGet"];
        /**
         * Replace the configuration of an instance
         * @description Keys, devices and profiles that are left out are removed.
         */
        put: operations["instancePut"];
        /** Rename an instance */
        post: operations["instancePost"];
        /** Delete a stopped instance */
        delete: operations["instanceDelete"];
        options?: never;
        head?: never;
        /**
         * Change some of the configuration of an instance
         * @description What is left out stays; a configuration key with an empty value is unset.
         */
        patch: operations["instancePatch"];
        trace?: never;
    };
    "/1.0/instances/{name}/state": {
        parameters: {
            query?: {
                /** @description Project to work in. */
                project?: components["parameters"]["Project"];
            };
            header?: never;
            path: {
                /** @description Name of the instance. */
                name: components["parameters"]["InstanceName"];
            };
            cookie?: never;
        };
        /** Show what an instance does and uses now */
        get: operations["instanceStateGet"];
        /** Start, stop, restart, freeze or unfreeze an instance */
        put: operations["instanceStatePut"];
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/1.0/instances/{name}/exec": {
        parameters: {
            query?: {
                /** @description Project to work in. */
                project?: components["parameters"]["Project"];
            };
            header?: never;
            path: {
                /** @description Name of the instance. */
                name: components["parameters"]["InstanceName"];
            };
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Run a command in a running instance
         * @description With `wait-for-websocket` the operation waits for its streams: `0` and `control` when interactive, else `0`, `1`, `2` and `control`. Its metadata tells the exit code as `return`, and with `record-output` the log files as `output`.
         */
        post: operations["instanceExecPost"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/1.0/instances/{name}/console": {
        parameters: {
            query?: {
                /** @description Project to work in. */
                project?: components["parameters"]["Project"];
            };
            header?: never;
            path: {
                /** @description Name of the instance. */
                name: components["parameters"]["InstanceName"];
            };
            cookie?: never;
        };
        /** Read the console log */
        get: operations["instanceConsoleGet"];
        put?: never;
        /**
         * Attach to the console
         * @description The operation’s streams are `0` and `control`.
         */
        post: operations["instanceConsolePost"];
        /** Empty the console log */
        delete: operations["instanceConsoleDelete"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/1.0/instances/{name}/files": {
        parameters: {
            query: {
                /** @description Path of the file, from the root of the instance. */
                path: components["parameters"]["FilePath"];
                /** @description Project to work in. */
                project?: components["parameters"]["Project"];
            };
            header?: never;
            path: {
                /** @description Name of the instance. */
                name: components["parameters"]["InstanceName"];
            };
            cookie?: never;
        };
        /**
         * Read a file, a directory or a link
         * @description The content of a file, the target of a link as it is written, or the names in a directory; `X-LXD-type` says which. A link at the end of the path is not followed. Devices, sockets and FIFOs are refused. Running or not.
         */
        get: operations["instanceFilesGet"];
        put?: never;
        /**
         * Write a file, or make a directory or a link
         * @description The body is the content of the file, or the target of the link. What is there already keeps its owner and mode; a link to a file is written through. A directory that is there already stays as it is.
         */
        post: operations["instanceFilesPost"];
        /** Delete a file, a link or an empty directory */
        delete: operations["instanceFilesDelete"];
        options?: never;
        /** Look at a file, a directory or a link */
        head: operations["instanceFilesHead"];
        patch?: never;
        trace?: never;
    };
    "/1.0/instances/{name}/sftp": {
        parameters: {
            query?: {
                /** @description Project to work in. */
                project?: components["parameters"]["Project"];
            };
            header?: never;
            path: {
                /** @description Name of the instance. */
                name: components["parameters"]["InstanceName"];
            };
            cookie?: never;
        };
        /**
         * Speak SFTP with an instance
         * @description With `Upgrade: sftp`, the connection is SFTP (version 3, with OpenSSH's extensions posix-rename, hardlink, statvfs, fstatvfs, fsync, lsetstat and limits) from then on. `/` is the root of the instance, and ids are those inside. It ends when the instance starts or stops.
         */
        get: operations["instanceSftpGet"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/1.0/instances/{name}/logs": {
        parameters: {
            query?: {
                /** @description Project to work in. */
                project?: components["parameters"]["Project"];
            };
            header?: never;
            path: {
                /** @description Name of the instance. */
                name: components["parameters"]["InstanceName"];
            };
            cookie?: never;
        };
        /**
         * List the log files
         * @description Recorded output of commands is among them.
         */
        get: operations["instanceLogsGet"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/1.0/instances/{name}/logs/{file}": {
        parameters: {
            query?: {
                /** @description Project to work in. */
                project?: components["parameters"]["Project"];
            };
            header?: never;
            path: {
                /** @description Name of the instance. */
                name: components["parameters"]["InstanceName"];
                /** @description Name of the file. */
                file: components["parameters"]["LogFile"];
            };
            cookie?: never;
        };
        /** Read a log file */
        get: operations["instanceLogGet"];
        put?: never;
        post?: never;
        /**
         * Delete a log file
         * @description The logs of the container runtime itself cannot be deleted.
         */
        delete: operations["instanceLogDelete"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/1.0/instances/{name}/rebuild": {
        parameters: {
            query?: {
                /** @description Project to work in. */
                project?: components["parameters"]["Project"];
            };
            header?: never;
            path: {
                /** @description Name of the instance. */
                name: components["parameters"]["InstanceName"];
            };
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Make the root of an instance anew
         * @description From an image, or empty. It must be stopped and have no snapshots; its configuration, devices and name stay.
         */
        post: operations["instanceRebuildPost"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/1.0/instances/{name}/metadata": {
        parameters: {
            query?: {
                /** @description Project to work in. */
                project?: components["parameters"]["Project"];
            };
            header?: never;
            path: {
                /** @description Name of the instance. */
                name: components["parameters"]["InstanceName"];
            };
            cookie?: never;
        };
        /**
         * Show what the image said of itself
         * @description As the instance keeps it, with the templates that are rendered into its files.
         */
        get: operations["instanceMetadataGet"];
        /** Replace the metadata */
        put: operations["instanceMetadataPut"];
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        /**
         * Change parts of the metadata
         * @description Properties and templates are added to those that are there.
         */
        patch: operations["instanceMetadataPatch"];
        trace?: never;
    };
    "/1.0/instances/{name}/metadata/templates": {
        parameters: {
            query?: {
                /** @description Project to work in. */
                project?: components["parameters"]["Project"];
                /** @description Name of the template's file. */
                path?: components["parameters"]["TemplateName"];
            };
            header?: never;
            path: {
                /** @description Name of the instance. */
                name: components["parameters"]["InstanceName"];
            };
            cookie?: never;
        };
        /**
         * List the templates, or read one
         * @description With `path` the content of that template, as it is.
         */
        get: operations["instanceTemplatesGet"];
        put?: never;
        /**
         * Write a template
         * @description The body is its content, 1 MiB at most. It is rendered where the metadata says so.
         */
        post: operations["instanceTemplatesPost"];
        /** Delete a template */
        delete: operations["instanceTemplatesDelete"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/1.0/instances/{name}/snapshots": {
        parameters: {
            query?: {
                /** @description Project to work in. */
                project?: components["parameters"]["Project"];
            };
            header?: never;
            path: {
                /** @description Name of the instance. */
                name: components["parameters"]["InstanceName"];
            };
            cookie?: never;
        };
        /**
         * List the snapshots of an instance
         * @description Oldest first. Recursion 1 gives InstanceSnapshot objects.
         */
        get: operations["instanceSnapshotsGet"];
        put?: never;
        /**
         * Take a snapshot
         * @description Of the files and the configuration as they are now, also while it runs. Without a name, the next one of `snapshots.pattern`.
         */
        post: operations["instanceSnapshotsPost"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/1.0/instances/{name}/snapshots/{snapshot}": {
        parameters: {
            query?: {
                /** @description Project to work in. */
                project?: components["parameters"]["Project"];
            };
            header?: never;
            path: {
                /** @description Name of the instance. */
                name: components["parameters"]["InstanceName"];
                /** @description Name of the snapshot. */
                snapshot: components["parameters"]["SnapshotName"];
            };
            cookie?: never;
        };
        /** Show a snapshot */
        get: operations["instanceSnapshotGet"];
        /**
         * Set when a snapshot is deleted
         * @description Left out: never.
         */
        put: operations["instanceSnapshotPut"];
        /** Rename a snapshot, or send it to another server */
        post: operations["instanceSnapshotPost"];
        /** Delete a snapshot */
        delete: operations["instanceSnapshotDelete"];
        options?: never;
        head?: never;
        /** Change when a snapshot is deleted */
        patch: operations["instanceSnapshotPatch"];
        trace?: never;
    };
    "/1.0/instances/{name}/backups": {
        parameters: {
            query?: {
                /** @description Project to work in. */
                project?: components["parameters"]["Project"];
            };
            header?: never;
            path: {
                /** @description Name of the instance. */
                name: components["parameters"]["InstanceName"];
            };
            cookie?: never;
        };
        /**
         * List the backups of an instance
         * @description Oldest first. Recursion 1 gives InstanceBackup objects.
         */
        get: operations["instanceBackupsGet"];
        put?: never;
        /**
         * Back an instance up
         * @description Its configuration and files, and those of its snapshots, in one file on the member that it is on; also while it runs. Without a name, the next of `backup0`, `backup1`, …
         */
        post: operations["instanceBackupsPost"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/1.0/instances/{name}/backups/{backup}": {
        parameters: {
            query?: {
                /** @description Project to work in. */
                project?: components["parameters"]["Project"];
            };
            header?: never;
            path: {
                /** @description Name of the instance. */
                name: components["parameters"]["InstanceName"];
                /** @description Name of the backup. */
                backup: components["parameters"]["BackupPath"];
            };
            cookie?: never;
        };
        /** Show a backup */
        get: operations["instanceBackupGet"];
        put?: never;
        /** Rename a backup */
        post: operations["instanceBackupPost"];
        /** Delete a backup */
        delete: operations["instanceBackupDelete"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/1.0/instances/{name}/backups/{backup}/export": {
        parameters: {
            query?: {
                /** @description Project to work in. */
                project?: components["parameters"]["Project"];
            };
            header?: never;
            path: {
                /** @description Name of the instance. */
                name: components["parameters"]["InstanceName"];
                /** @description Name of the backup. */
                backup: components["parameters"]["BackupPath"];
            };
            cookie?: never;
        };
        /**
         * Download a backup
         * @description A tarball as LXD makes it; `POST /1.0/instances` takes it.
         */
        get: operations["instanceBackupExportGet"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/1.0/images": {
        parameters: {
            query?: {
                /** @description Project to work in. */
                project?: components["parameters"]["Project"];
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** List the images */
        get: operations["imagesGet"];
        put?: never;
        /**
         * Add an image
         * @description A body of any other type than JSON and multipart is one tarball with metadata and root file system. A split image comes as multipart, metadata first. The operation’s metadata has `fingerprint` and `size`. A JSON body asks for an image of another server.
         */
        post: operations["imagesPost"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/1.0/images/{fingerprint}": {
        parameters: {
            query?: {
                /** @description Project to work in. */
                project?: components["parameters"]["Project"];
            };
            header?: never;
            path: {
                /** @description SHA-256 of the image, or the first characters of it. */
                fingerprint: components["parameters"]["Fingerprint"];
            };
            cookie?: never;
        };
        /** Show an image */
        get: operations["imageGet"];
        /** Replace what can be changed of an image */
        put: operations["imagePut"];
        post?: never;
        /**
         * Delete an image
         * @description Its aliases go with it. Instances made from it stay.
         */
        delete: operations["imageDelete"];
        options?: never;
        head?: never;
        /** Change some of an image */
        patch: operations["imagePatch"];
        trace?: never;
    };
    "/1.0/images/{fingerprint}/export": {
        parameters: {
            query?: {
                /** @description Project to work in. */
                project?: components["parameters"]["Project"];
            };
            header?: never;
            path: {
                /** @description SHA-256 of the image, or the first characters of it. */
                fingerprint: components["parameters"]["Fingerprint"];
            };
            cookie?: never;
        };
        /**
         * Download an image
         * @description A split image comes as multipart with the parts `metadata` and `rootfs`.
         */
        get: operations["imageExportGet"];
        put?: never;
        /** Send an image to a server that expects it */
        post: operations["imageExportPost"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/1.0/images/{fingerprint}/secret": {
        parameters: {
            query?: {
                /** @description Project to work in. */
                project?: components["parameters"]["Project"];
            };
            header?: never;
            path: {
                /** @description SHA-256 of the image, or the first characters of it. */
                fingerprint: components["parameters"]["Fingerprint"];
            };
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Make a secret with which another server may fetch the image
         * @description The operation is of class token; its metadata has the `secret`, which is good as long as it runs.
         */
        post: operations["imageSecretPost"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/1.0/images/{fingerprint}/refresh": {
        parameters: {
            query?: {
                /** @description Project to work in. */
                project?: components["parameters"]["Project"];
            };
            header?: never;
            path: {
                /** @description SHA-256 of the image, or the first characters of it. */
                fingerprint: components["parameters"]["Fingerprint"];
            };
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Look where the image comes from for a newer one
         * @description The newer one takes its place, under its names. The metadata of the operation says whether there was one (`refreshed`).
         */
        post: operations["imageRefreshPost"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/1.0/images/aliases": {
        parameters: {
            query?: {
                /** @description Project to work in. */
                project?: components["parameters"]["Project"];
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** List the image aliases */
        get: operations["imageAliasesGet"];
        put?: never;
        /** Add an image alias */
        post: operations["imageAliasesPost"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/1.0/images/aliases/{name}": {
        parameters: {
            query?: {
                /** @description Project to work in. */
                project?: components["parameters"]["Project"];
            };
            header?: never;
            path: {
                /** @description Name of the alias. */
                name: components["parameters"]["AliasName"];
            };
            cookie?: never;
        };
        /** Show an image alias */
        get: operations["imageAliasGet"];
        /** Point an image alias elsewhere */
        put: operations["imageAliasPut"];
        /** Rename an image alias */
        post: operations["imageAliasPost"];
        /** Delete an image alias */
        delete: operations["imageAliasDelete"];
        options?: never;
        head?: never;
        /** Change some of an image alias */
        patch: operations["imageAliasPatch"];
        trace?: never;
    };
    "/1.0/profiles": {
        parameters: {
            query?: {
                /** @description Project to work in. */
                project?: components["parameters"]["Project"];
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** List the profiles */
        get: operations["profilesGet"];
        put?: never;
        /** Create a profile */
        post: operations["profilesPost"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/1.0/profiles/{name}": {
        parameters: {
            query?: {
                /** @description Project to work in. */
                project?: components["parameters"]["Project"];
            };
            header?: never;
            path: {
                /** @description Name of the profile. */
                name: components["parameters"]["ProfileName"];
            };
            cookie?: never;
        };
        /** Show a profile */
        get: operations["profileGet"];
        /** Replace the configuration of a profile */
        put: operations["profilePut"];
        /** Rename a profile */
        post: operations["profilePost"];
        /** Delete a profile that is not used */
        delete: operations["profileDelete"];
        options?: never;
        head?: never;
        /** Change some of the configuration of a profile */
        patch: operations["profilePatch"];
        trace?: never;
    };
    "/1.0/storage-pools": {
        parameters: {
            query?: {
                /** @description Project to work in. */
                project?: components["parameters"]["Project"];
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** List the storage pools */
        get: operations["storagePoolsGet"];
        put?: never;
        /** Create a storage pool */
        post: operations["storagePoolsPost"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/1.0/storage-pools/{name}": {
        parameters: {
            query?: {
                /** @description Project to work in. */
                project?: components["parameters"]["Project"];
            };
            header?: never;
            path: {
                /** @description Name of the storage pool. */
                name: components["parameters"]["PoolName"];
            };
            cookie?: never;
        };
        /** Show a storage pool */
        get: operations["storagePoolGet"];
        /** Replace the configuration of a storage pool */
        put: operations["storagePoolPut"];
        post?: never;
        /** Delete a storage pool that is not used */
        delete: operations["storagePoolDelete"];
        options?: never;
        head?: never;
        /** Change some of the configuration of a storage pool */
        patch: operations["storagePoolPatch"];
        trace?: never;
    };
    "/1.0/storage-pools/{name}/resources": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Name of the storage pool. */
                name: components["parameters"]["PoolName"];
            };
            cookie?: never;
        };
        /** Show how full a storage pool is */
        get: operations["storagePoolResourcesGet"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/1.0/storage-pools/{name}/volumes": {
        parameters: {
            query?: {
                /** @description Project to work in. */
                project?: components["parameters"]["Project"];
            };
            header?: never;
            path: {
                /** @description Name of the storage pool. */
                name: components["parameters"]["PoolName"];
            };
            cookie?: never;
        };
        /** List the volumes of a storage pool */
        get: operations["storagePoolVolumesGet"];
        put?: never;
        /** Create a volume, or copy one */
        post: operations["storagePoolVolumesPost"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/1.0/storage-pools/{name}/volumes/{type}": {
        parameters: {
            query?: {
                /** @description Project to work in. */
                project?: components["parameters"]["Project"];
            };
            header?: never;
            path: {
                /** @description Name of the storage pool. */
                name: components["parameters"]["PoolName"];
                /** @description Type of the volumes. */
                type: components["parameters"]["VolumeType"];
            };
            cookie?: never;
        };
        /** List the volumes of one type */
        get: operations["storagePoolVolumesTypeGet"];
        put?: never;
        /**
         * Create a volume of a type, or copy one
         * @description A body of type `application/octet-stream` is a backup of a custom volume, which is made again from it.
         */
        post: operations["storagePoolVolumesTypePost"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/1.0/storage-pools/{name}/volumes/{type}/{volume}": {
        parameters: {
            query?: {
                /** @description Project to work in. */
                project?: components["parameters"]["Project"];
            };
            header?: never;
            path: {
                /** @description Name of the storage pool. */
                name: components["parameters"]["PoolName"];
                /** @description Type of the volumes. */
                type: components["parameters"]["VolumeType"];
                /** @description Name of the volume. */
                volume: components["parameters"]["VolumeName"];
            };
            cookie?: never;
        };
        /** Show a volume */
        get: operations["storagePoolVolumeGet"];
        /** Replace the configuration of a volume, or restore a snapshot */
        put: operations["storagePoolVolumePut"];
        /** Rename a volume, or move it to another pool */
        post: operations["storagePoolVolumePost"];
        /**
         * Delete a volume
         * @description A custom volume, or what an image was unpacked to; the image is unpacked again when an instance is made of it.
         */
        delete: operations["storagePoolVolumeDelete"];
        options?: never;
        head?: never;
        /** Change some of the configuration of a volume */
        patch: operations["storagePoolVolumePatch"];
        trace?: never;
    };
    "/1.0/storage-pools/{name}/volumes/{type}/{volume}/state": {
        parameters: {
            query?: {
                /** @description Project to work in. */
                project?: components["parameters"]["Project"];
            };
            header?: never;
            path: {
                /** @description Name of the storage pool. */
                name: components["parameters"]["PoolName"];
                /** @description Type of the volumes. */
                type: components["parameters"]["VolumeType"];
                /** @description Name of the volume. */
                volume: components["parameters"]["VolumeName"];
            };
            cookie?: never;
        };
        /** Show how much is in a volume */
        get: operations["storagePoolVolumeStateGet"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/1.0/storage-pools/{name}/volumes/{type}/{volume}/backups": {
        parameters: {
            query?: {
                /** @description Project to work in. */
                project?: components["parameters"]["Project"];
            };
            header?: never;
            path: {
                /** @description Name of the storage pool. */
                name: components["parameters"]["PoolName"];
                /** @description Type of the volumes. */
                type: components["parameters"]["VolumeType"];
                /** @description Name of the volume. */
                volume: components["parameters"]["VolumeName"];
            };
            cookie?: never;
        };
        /**
         * List the backups of a volume
         * @description Oldest first. Recursion 1 gives StorageVolumeBackup objects.
         */
        get: operations["storagePoolVolumeBackupsGet"];
        put?: never;
        /**
         * Back a volume up
         * @description Its configuration and files, and those of its snapshots, in one file on the member that it is on; also while instances write to it. Without a name, the next of `backup0`, `backup1`, …
         */
        post: operations["storagePoolVolumeBackupsPost"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/1.0/storage-pools/{name}/volumes/{type}/{volume}/backups/{backup}": {
        parameters: {
            query?: {
                /** @description Project to work in. */
                project?: components["parameters"]["Project"];
            };
            header?: never;
            path: {
                /** @description Name of the storage pool. */
                name: components["parameters"]["PoolName"];
                /** @description Type of the volumes. */
                type: components["parameters"]["VolumeType"];
                /** @description Name of the volume. */
                volume: components["parameters"]["VolumeName"];
                /** @description Name of the backup. */
                backup: components["parameters"]["BackupPath"];
            };
            cookie?: never;
        };
        /** Show a backup of a volume */
        get: operations["storagePoolVolumeBackupGet"];
        put?: never;
        /** Rename a backup of a volume */
        post: operations["storagePoolVolumeBackupPost"];
        /** Delete a backup of a volume */
        delete: operations["storagePoolVolumeBackupDelete"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/1.0/storage-pools/{name}/volumes/{type}/{volume}/backups/{backup}/export": {
        parameters: {
            query?: {
                /** @description Project to work in. */
                project?: components["parameters"]["Project"];
            };
            header?: never;
            path: {
                /** @description Name of the storage pool. */
                name: components["parameters"]["PoolName"];
                /** @description Type of the volumes. */
                type: components["parameters"]["VolumeType"];
                /** @description Name of the volume. */
                volume: components["parameters"]["VolumeName"];
                /** @description Name of the backup. */
                backup: components["parameters"]["BackupPath"];
            };
            cookie?: never;
        };
        /**
         * Download a backup of a volume
         * @description A tarball as LXD makes it; `POST /1.0/storage-pools/{name}/volumes/custom` takes it.
         */
        get: operations["storagePoolVolumeBackupExportGet"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/1.0/storage-pools/{name}/volumes/{type}/{volume}/snapshots": {
        parameters: {
            query?: {
                /** @description Project to work in. */
                project?: components["parameters"]["Project"];
            };
            header?: never;
            path: {
                /** @description Name of the storage pool. */
                name: components["parameters"]["PoolName"];
                /** @description Type of the volumes. */
                type: components["parameters"]["VolumeType"];
                /** @description Name of the volume. */
                volume: components["parameters"]["VolumeName"];
            };
            cookie?: never;
        };
        /** List the snapshots of a volume */
        get: operations["storagePoolVolumeSnapshotsGet"];
        put?: never;
        /** Take a snapshot of a volume */
        post: operations["storagePoolVolumeSnapshotsPost"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/1.0/storage-pools/{name}/volumes/{type}/{volume}/snapshots/{snapshot}": {
        parameters: {
            query?: {
                /** @description Project to work in. */
                project?: components["parameters"]["Project"];
            };
            header?: never;
            path: {
                /** @description Name of the storage pool. */
                name: components["parameters"]["PoolName"];
                /** @description Type of the volumes. */
                type: components["parameters"]["VolumeType"];
                /** @description Name of the volume. */
                volume: components["parameters"]["VolumeName"];
                /** @description Name of the snapshot. */
                snapshot: components["parameters"]["SnapshotName"];
            };
            cookie?: never;
        };
        /** Show a snapshot of a volume */
        get: operations["storagePoolVolumeSnapshotGet"];
        /** Say what a snapshot is and until when it is kept */
        put: operations["storagePoolVolumeSnapshotPut"];
        /** Rename a snapshot of a volume */
        post: operations["storagePoolVolumeSnapshotPost"];
        /** Delete a snapshot of a volume */
        delete: operations["storagePoolVolumeSnapshotDelete"];
        options?: never;
        head?: never;
        /** Change some of what is said of a snapshot */
        patch: operations["storagePoolVolumeSnapshotPatch"];
        trace?: never;
    };
    "/1.0/networks": {
        parameters: {
            query?: {
                /** @description Project to work in. */
                project?: components["parameters"]["Project"];
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** List the networks */
        get: operations["networksGet"];
        put?: never;
        /** Create a network */
        post: operations["networksPost"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/1.0/networks/{name}": {
        parameters: {
            query?: {
                /** @description Project to work in. */
                project?: components["parameters"]["Project"];
            };
            header?: never;
            path: {
                /** @description Name of the network. */
                name: components["parameters"]["NetworkName"];
            };
            cookie?: never;
        };
        /** Show a network */
        get: operations["networkGet"];
        /** Replace the configuration of a network */
        put: operations["networkPut"];
        /** Rename a network */
        post: operations["networkPost"];
        /** Delete a network that is not used */
        delete: operations["networkDelete"];
        options?: never;
        head?: never;
        /** Change some of the configuration of a network */
        patch: operations["networkPatch"];
        trace?: never;
    };
    "/1.0/networks/{name}/leases": {
        parameters: {
            query?: {
                /** @description Project to work in. */
                project?: components["parameters"]["Project"];
            };
            header?: never;
            path: {
                /** @description Name of the network. */
                name: components["parameters"]["NetworkName"];
            };
            cookie?: never;
        };
        /** List the addresses that are given out */
        get: operations["networkLeasesGet"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/1.0/networks/{name}/state": {
        parameters: {
            query?: {
                /** @description Project to work in. */
                project?: components["parameters"]["Project"];
            };
            header?: never;
            path: {
                /** @description Name of the network. */
                name: components["parameters"]["NetworkName"];
            };
            cookie?: never;
        };
        /** Show the interface of a network */
        get: operations["networkStateGet"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/1.0/projects": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List the projects
         * @description There is one, `default`.
         */
        get: operations["projectsGet"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/1.0/projects/{name}": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Name of the project. */
                name: components["parameters"]["ProjectName"];
            };
            cookie?: never;
        };
        /** Show a project */
        get: operations["projectGet"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/1.0/certificates": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** List the trusted certificates */
        get: operations["certificatesGet"];
        put?: never;
        /**
         * Trust a certificate, or make a token with which a client may have its own trusted
         * @description Open to everybody: who is not trusted yet shows a certificate over TLS, and gives the trust password or a token as `password`.
         */
        post: operations["certificatesPost"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/1.0/certificates/{fingerprint}": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Of the certificate, or a beginning that only one has. */
                fingerprint: components["parameters"]["CertificateFingerprint"];
            };
            cookie?: never;
        };
        /** Show a trusted certificate */
        get: operations["certificateGet"];
        /** Replace what is said of a certificate, or the certificate itself */
        put: operations["certificatePut"];
        post?: never;
        /** Trust a certificate no longer */
        delete: operations["certificateDelete"];
        options?: never;
        head?: never;
        /** Change some of what is said of a certificate */
        patch: operations["certificatePatch"];
        trace?: never;
    };
    "/1.0/cluster": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Show whether the server is part of a cluster */
        get: operations["clusterGet"];
        /**
         * Make the server the first member of a new cluster, or have it join one
         * @description With a join token the server joins: what it had on record is gone then. The API starts again right after.
         */
        put: operations["clusterPut"];
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/1.0/cluster/explain": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Say why an instance is where it is
         * @description Every member is judged as if the instance were to be placed now: what speaks against it, or how well it would do. An extension of this server (`lxdts_cluster_explain`).
         */
        get: operations["clusterExplainGet"];
        put?: never;
        /**
         * Say where an instance would go
         * @description The body is that of a creation; nothing is created. An extension of this server (`lxdts_cluster_explain`).
         */
        post: operations["clusterExplainPost"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/1.0/cluster/members": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** List the members */
        get: operations["clusterMembersGet"];
        put?: never;
        /**
         * Ask for a token with which a machine may join
         * @description The operation is of class token; its metadata is a ClusterMemberJoinToken.
         */
        post: operations["clusterMembersPost"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/1.0/cluster/members/{name}": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Name of a member. */
                name: components["parameters"]["MemberName"];
            };
            cookie?: never;
        };
        /** Show a member */
        get: operations["clusterMemberGet"];
        /** Replace what can be said of a member */
        put: operations["clusterMemberPut"];
        /** Rename a member */
        post: operations["clusterMemberPost"];
        /**
         * Remove a member from the cluster
         * @description It must have no instances, and no image that no other member has. By force it may be dead: what it has is lost.
         */
        delete: operations["clusterMemberDelete"];
        options?: never;
        head?: never;
        /** Change some of what can be said of a member */
        patch: operations["clusterMemberPatch"];
        trace?: never;
    };
    "/1.0/cluster/members/{name}/state": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Name of a member. */
                name: components["parameters"]["MemberName"];
            };
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Evacuate a member, or restore it */
        post: operations["clusterMemberStatePost"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/1.0/cluster/groups": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** List the groups of members */
        get: operations["clusterGroupsGet"];
        put?: never;
        /** Create a group */
        post: operations["clusterGroupsPost"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/1.0/cluster/groups/{name}": {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Name of a group of members. */
                name: components["parameters"]["GroupName"];
            };
            cookie?: never;
        };
        /** Show a group */
        get: operations["clusterGroupGet"];
        /** Replace a group */
        put: operations["clusterGroupPut"];
        /** Rename a group */
        post: operations["clusterGroupPost"];
        /** Delete a group */
        delete: operations["clusterGroupDelete"];
        options?: never;
        head?: never;
        /** Change some of a group */
        patch: operations["clusterGroupPatch"];
        trace?: never;
    };
    "/1.0/cluster/certificate": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        /**
         * Give the cluster another certificate
         * @description Every member then shows it to clients.
         */
        put: operations["clusterCertificatePut"];
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/1.0/resources": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Show what a machine has */
        get: operations["resourcesGet"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/1.0/warnings": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** List the warnings */
        get: operations["warningsGet"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/internal/cluster/enroll": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Take a machine in that shows a join token
         * @description Open to everybody: the token’s secret is what counts, and it is good once.
         */
        post: operations["internalClusterEnrollPost"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/internal/events": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Hear of what happens on this server of the control plane, for its other servers */
        get: operations["internalEventsGet"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/internal/operations": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** List the operations that run on this server of the control plane, for its other servers */
        get: operations["internalOperationsGet"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/internal/ready": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Ask whether the server is ready for requests */
        get: operations["internalReadyGet"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/internal/shutdown": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        /**
         * Stop all instances, then the server
         * @description Answers when the instances have stopped.
         */
        put: operations["internalShutdownPut"];
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/internal/recover/validate": {
        parameters: {
            query?: {
                /** @description Member of the cluster to ask or to use. */
                target?: components["parameters"]["Target"];
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Look for volumes that are in storage pools and not on record
         * @description Pools that are not on record are looked at as the request describes them. Nothing changes, on disk or on record.
         */
        post: operations["internalRecoverValidatePost"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/internal/recover/import": {
        parameters: {
            query?: {
                /** @description Member of the cluster to ask or to use. */
                target?: components["parameters"]["Target"];
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Take in what is in storage pools and not on record
         * @description Pools, custom volumes, and instances with their snapshots. Where something is missing that they need, nothing is done, and the answer tells what.
         */
        post: operations["internalRecoverImportPost"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
}
export type webhooks = Record<string, never>;
export interface components {
    schemas: {
        /** @description The work is done; `metadata` is the answer. */
        SyncResponse: {
            /** @constant */
            type: "sync";
            /** @constant */
            status: "Success";
            /** @constant */
            status_code: 200;
            /** @constant */
            operation: "";
            /** @constant */
            error_code: 0;
            /** @constant */
            error: "";
        };
        /** @description The work is done and there is nothing to tell. */
        EmptyResponse: components["schemas"]["SyncResponse"] & {
            metadata: Record<string, never> | null;
        };
        /** @description The work goes on as an operation. */
        AsyncResponse: {
            /** @constant */
            type: "async";
            /** @constant */
            status: "Operation created";
            /** @constant */
            status_code: 100;
            /** @description Path of the operation. */
            operation: string;
            /** @constant */
            error_code: 0;
            /** @constant */
            error: "";
            metadata: components["schemas"]["Operation"];
        };
        /** @description It was refused or went wrong. */
        ErrorResponse: {
            /** @constant */
            type: "error";
            /** @constant */
            status: "";
            /** @constant */
            status_code: 0;
            /** @constant */
            operation: "";
            /** @description The HTTP status. */
            error_code: number;
            /** @description A sentence for people. */
            error: string;
            metadata: null;
        };
        /** @description Any of the envelopes, for those who do not know yet which it is. */
        ResponseRaw: {
            /** @enum {string} */
            type: "sync" | "async" | "error";
            status: string;
            status_code: number;
            operation: string;
            error_code: number;
            error: string;
            metadata: unknown;
        };
        /** @description Paths of the API. */
        Paths: string[];
        /** @description Configuration keys with their values, which are always strings. */
        Config: {
            [key: string]: string;
        };
        /** @description Names of devices with their options. */
        Devices: {
            [key: string]: components["schemas"]["Config"];
        };
        ServerUntrusted: {
            /** @description What this server has beyond 1.0. */
            api_extensions: string[];
            /** @example stable */
            api_status: string;
            /** @example 1.0 */
            api_version: string;
            /**
             * @description Whether it trusts the client.
             * @enum {string}
             */
            auth: "trusted" | "untrusted";
            /** @description Whether it only gives out public images. */
            public: boolean;
            auth_methods: string[];
        };
        /** @description Callers that are not trusted see neither `config` nor `environment`. */
        Server: {
            config?: components["schemas"]["ServerConfig"];
            /** @description What this server has beyond 1.0. */
            api_extensions: string[];
            /** @example stable */
            api_status: string;
            /** @example 1.0 */
            api_version: string;
            /**
             * @description Whether it trusts the client.
             * @enum {string}
             */
            auth: "trusted" | "untrusted";
            /** @description Whether it only gives out public images. */
            public: boolean;
            auth_methods: string[];
            environment?: components["schemas"]["ServerEnvironment"];
        };
        ServerEnvironment: {
            /** @description Where it listens on the network. */
            addresses: string[];
            /** @description That it can run; its own first. */
            architectures: string[];
            /** @description PEM. */
            certificate: string;
            /** @description SHA-256. */
            certificate_fingerprint: string;
            /** @example lxc */
            driver: string;
            driver_version: string;
            /** @example nftables */
            firewall: string;
            /** @example Linux */
            kernel: string;
            /** @example x86_64 */
            kernel_architecture: string;
            kernel_features: components["schemas"]["Config"];
            kernel_version: string;
            lxc_features: components["schemas"]["Config"];
            os_name: string;
            os_version: string;
            /** @description Of the request. */
            project: string;
            /** @description Name of the program. */
            server: string;
            server_clustered: boolean;
            server_event_mode: string;
            server_name: string;
            server_pid: number;
            server_version: string;
            /**
             * @description Drivers in use.
             * @example btrfs | dir | overlay
             */
            storage: string;
            /** @description Their versions. */
            storage_version: string;
            storage_supported_drivers: components["schemas"]["ServerStorageDriverInfo"][];
        };
        ServerStorageDriverInfo: {
            Name: string;
            Version: string;
            /** @description Whether its volumes are on no single machine. */
            Remote: boolean;
        };
        ServerPut: {
            config?: components["schemas"]["ServerConfig"];
        };
        /** @description Configuration keys of the server with their values. Of the trust password only `true` is shown; given back, it means no change. */
        ServerConfig: {
            [key: string]: string | boolean | number;
        } | null;
        Operation: {
            /** @description UUID. */
            id: string;
            /** @enum {string} */
            class: "task" | "websocket" | "token";
            description: string;
            /** Format: date-time */
            created_at: string;
            /** Format: date-time */
            updated_at: string;
            /** @example Running */
            status: string;
            status_code: components["schemas"]["StatusCode"];
            /** @description What it works on, kind → paths. */
            resources: {
                [key: string]: components["schemas"]["Paths"];
            } | null;
            /** @description Its progress and results. */
            metadata: {
                [key: string]: unknown;
            } | null;
            may_cancel: boolean;
            /** @description Why it failed. */
            err: string;
            /** @description Member it runs on; `none` outside clusters. */
            location: string;
        };
        /**
         * @description 100 operation created, 101 started, 102 stopped, 103 running, 104 cancelling, 105 pending, 106 starting, 107 stopping, 108 aborting, 109 freezing, 110 frozen, 111 thawed, 112 error, 113 ready, 200 success, 400 failure, 401 cancelled.
         * @enum {integer}
         */
        StatusCode: 100 | 101 | 102 | 103 | 104 | 105 | 106 | 107 | 108 | 109 | 110 | 111 | 112 | 113 | 200 | 400 | 401;
        Event: {
            /** @enum {string} */
            type: "operation" | "lifecycle" | "logging";
            /** Format: date-time */
            timestamp: string;
            metadata: components["schemas"]["Operation"] | components["schemas"]["EventLifecycle"] | components["schemas"]["EventLogging"];
            /** @description Member it comes from. */
            location?: string;
            project?: string;
        };
        EventLifecycle: {
            /** @example instance-started */
            action: string;
            /** @description Path of what it happened to. */
            source: string;
            context?: {
                [key: string]: unknown;
            };
            requestor?: components["schemas"]["EventLifecycleRequestor"];
        };
        EventLifecycleRequestor: {
            username: string;
            /** @example unix */
            protocol: string;
            address?: string;
        };
        EventLogging: {
            message: string;
            /** @example info */
            level: string;
            context: components["schemas"]["Config"];
        };
        Instance: {
            name: string;
            description: string;
            /** @example Running */
            status: string;
            status_code: components["schemas"]["StatusCode"];
            /** @enum {string} */
            type: "container" | "virtual-machine";
            /** @example x86_64 */
            architecture: string;
            config: components["schemas"]["Config"];
            devices: components["schemas"]["Devices"];
            /** @description Later ones win over earlier ones. */
            profiles: string[];
            expanded_config: components["schemas"]["Config"];
            expanded_devices: components["schemas"]["Devices"];
            /** @description Deleted when it stops. */
            ephemeral: boolean;
            /** @description Whether memory was saved with it. */
            stateful: boolean;
            /** Format: date-time */
            created_at: string;
            /** Format: date-time */
            last_used_at: string;
            /** @description Member it is on; `none` outside clusters. */
            location: string;
            project: string;
        };
        InstanceFull: components["schemas"]["Instance"] & {
            backups: components["schemas"]["InstanceBackup"][] | null;
            state: components["schemas"]["InstanceState"] | null;
            snapshots: components["schemas"]["InstanceSnapshot"][] | null;
        };
        RecoverPost: {
            pools?: {
                name: string;
                driver?: string;
                description?: string;
                config?: {
                    [key: string]: string;
                } | null;
            }[] | null;
        };
        RecoverFound: {
            UnknownVolumes: {
                name: string;
                /** @enum {string} */
                type: "container" | "volume";
                snapshotCount: number;
                project: string;
                pool: string;
            }[] | null;
            /** @description What has to be there first, such as profiles. */
            DependencyErrors: string[] | null;
        };
        StorageVolumeBackup: {
            name: string;
            /** Format: date-time */
            created_at: string;
            /** Format: date-time */
            expires_at: string;
            /** @description Without snapshots. */
            volume_only: boolean;
            optimized_storage: boolean;
        };
        StorageVolumeBackupsPost: {
            /** @description Left out: the next of `backup0`, `backup1`, … */
            name?: string;
            /**
             * Format: date-time
             * @description When it is deleted. Left out, or `0001-01-01T00:00:00Z`: never.
             */
            expires_at?: string | null;
            /** @description Without snapshots. */
            volume_only?: boolean;
            /** @description As the storage driver sends volumes; only pools of that driver take it. */
            optimized_storage?: boolean;
            /** @description none, bzip2, gzip, lz4, lzma, xz or zstd. Left out: by `backups.compression_algorithm` of the server. */
            compression_algorithm?: string;
        };
        InstanceBackup: {
            name: string;
            /** Format: date-time */
            created_at: string;
            /** Format: date-time */
            expires_at: string;
            /** @description Without snapshots. */
            instance_only: boolean;
            /** @description Older name of `instance_only`. */
            container_only: boolean;
            optimized_storage: boolean;
        };
        InstanceSnapshot: {
            name: string;
            /** Format: date-time */
            created_at: string;
            /** Format: date-time */
            expires_at: string;
            /** Format: date-time */
            last_used_at: string;
            architecture: string;
            config: components["schemas"]["Config"];
            devices: components["schemas"]["Devices"];
            profiles: string[];
            expanded_config: components["schemas"]["Config"];
            expanded_devices: components["schemas"]["Devices"];
            ephemeral: boolean;
            stateful: boolean;
            /** @description -1 when it is not known. */
            size: number;
        };
        InstanceSnapshotsPost: {
            /** @description Left out: the next one of `snapshots.pattern`. */
            name?: string;
            /** @description Refused. */
            stateful?: boolean;
            /**
             * Format: date-time
             * @description When it is deleted. Left out: by `snapshots.expiry`; `0001-01-01T00:00:00Z`: never.
             */
            expires_at?: string | null;
        };
        InstanceBackupsPost: {
            /** @description Left out: the next of `backup0`, `backup1`, … */
            name?: string;
            /**
             * Format: date-time
             * @description When it is deleted. Left out, or `0001-01-01T00:00:00Z`: never.
             */
            expires_at?: string | null;
            /** @description Without snapshots. */
            instance_only?: boolean;
            /** @description An older name of instance_only. */
            container_only?: boolean;
            /** @description As the storage driver sends volumes; only pools of that driver take it. */
            optimized_storage?: boolean;
            /** @description none, bzip2, gzip, lz4, lzma, xz or zstd. Left out: by `backups.compression_algorithm` of the server. */
            compression_algorithm?: string;
        };
        InstanceBackupPost: {
            /** @description The new name. */
            name: string;
        };
        InstanceSnapshotPut: {
            /**
             * Format: date-time
             * @description When it is deleted; `0001-01-01T00:00:00Z`: never.
             */
            expires_at?: string | null;
        };
        InstanceSnapshotPost: {
            /** @description The new name. */
            name: string;
            /** @description Send an instance made of it to another server. */
            migration?: boolean;
            live?: boolean;
            /** @description Migration: where it goes to. Without it the other server comes. */
            target?: Record<string, never> | null;
        };
        InstancesPost: {
            /** @description 1 to 63 letters, digits and hyphens. */
            name?: string;
            /**
             * @description Container when left out.
             * @enum {string}
             */
            type?: "" | "container" | "virtual-machine";
            source: components["schemas"]["InstanceSource"];
            /** @description That of the image when left out. */
            architecture?: string;
            config?: components["schemas"]["Config"];
            devices?: components["schemas"]["Devices"];
            /** @description Those of the image when left out, or `default`; an empty list for none. */
            profiles?: string[];
            ephemeral?: boolean;
            stateful?: boolean;
            description?: string;
            /** @description Size by the name of a cloud’s instance type. */
            instance_type?: string;
            restore?: string;
        };
        /** @description What a new instance is filled with. */
        InstanceSource: {
            /**
             * @description An image, nothing, another instance of this server, or one of another server.
             * @enum {string}
             */
            type: "image" | "none" | "copy" | "migration";
            /** @description Alias of the image. */
            alias?: string;
            /** @description Fingerprint of the image, or its first characters. */
            fingerprint?: string;
            properties?: components["schemas"]["Config"];
            /** @description Server of the image, `https://HOST:PORT`; absent: this one. */
            server?: string;
            /**
             * @description What that server speaks: `lxd` (also when absent), `simplestreams`, or `oci`, where `alias` is `REPOSITORY:TAG` or `REPOSITORY@DIGEST`.
             * @example oci
             */
            protocol?: string;
            /**
             * @description Migration: `pull` goes to the source, `push` waits for it.
             * @example pull
             */
            mode?: string;
            /** @description Copy: name of the instance, or of a snapshot of it: `c1/snap0`. */
            source?: string;
            /** @description Copy: project of the instance. */
            project?: string;
            /** @description Copy: without snapshots. */
            instance_only?: boolean;
            /** @description Older name of `instance_only`. */
            container_only?: boolean;
            /** @description Migration: with its memory; refused. */
            live?: boolean;
            /** @description Bring an instance that is there up to date. */
            refresh?: boolean;
            allow_inconsistent?: boolean;
            /** @description Migration: the certificate that the source must have, in PEM. */
            certificate?: string;
            secret?: string;
            secrets?: components["schemas"]["Config"];
            /** @description Migration: URL of the operation of the source. */
            operation?: string;
            /** @description Migration: fingerprint of the image it was made from. */
            "base-image"?: string;
        };
        InstancesPut: {
            state: components["schemas"]["InstanceStatePut"];
        };
        InstancePut: {
            architecture?: string;
            config?: components["schemas"]["Config"];
            devices?: components["schemas"]["Devices"];
            profiles?: string[];
            ephemeral?: boolean;
            stateful?: boolean;
            description?: string;
            /** @description Name of a snapshot to go back to. */
            restore?: string;
        };
        InstancePost: {
            /** @description The new name. */
            name?: string;
            /** @description Send it to another server. */
            migration?: boolean;
            /** @description Migration: with its memory; refused while it runs. */
            live?: boolean;
            /** @description Migration: without snapshots. */
            instance_only?: boolean;
            /** @description Older name of `instance_only`. */
            container_only?: boolean;
            allow_inconsistent?: boolean;
            target?: components["schemas"]["InstancePostTarget"];
            pool?: string;
            project?: string;
        };
        /** @description Where a migration goes. Without it the other server comes. */
        InstancePostTarget: {
            /** @description The certificate that the target must have, in PEM. */
            certificate?: string;
            /** @description URL of the operation of the target. */
            operation?: string;
            secrets?: components["schemas"]["Config"];
        } | null;
        InstanceState: {
            status: string;
            status_code: components["schemas"]["StatusCode"];
            /** @description Of init as the host sees it; 0 when it does not run. */
            pid: number;
            processes: number;
            cpu: components["schemas"]["InstanceStateCPU"];
            memory: components["schemas"]["InstanceStateMemory"];
            disk: {
                [key: string]: components["schemas"]["InstanceStateDisk"];
            } | null;
            /** @description Null when it does not run. */
            network: {
                [key: string]: components["schemas"]["InstanceStateNetwork"];
            } | null;
        };
        InstanceStateCPU: {
            /** @description Nanoseconds. */
            usage: number;
        };
        InstanceStateMemory: {
            usage: number;
            usage_peak: number;
            swap_usage: number;
            swap_usage_peak: number;
        };
        InstanceStateDisk: {
            usage: number;
        };
        InstanceStateNetwork: {
            addresses: components["schemas"]["InstanceStateNetworkAddress"][] | null;
            counters: components["schemas"]["InstanceStateNetworkCounters"];
            hwaddr: string;
            /** @description Of the other end on the host. */
            host_name: string;
            mtu: number;
            /** @enum {string} */
            state: "up" | "down";
            /** @example broadcast */
            type: string;
        };
        InstanceStateNetworkAddress: {
            /** @enum {string} */
            family: "inet" | "inet6";
            address: string;
            /** @description Length of the prefix. */
            netmask: string;
            /** @enum {string} */
            scope: "global" | "link" | "local";
        };
        InstanceStateNetworkCounters: {
            bytes_received: number;
            bytes_sent: number;
            packets_received: number;
            packets_sent: number;
            errors_received: number;
            errors_sent: number;
            packets_dropped_outbound: number;
            packets_dropped_inbound: number;
        };
        InstanceStatePut: {
            /** @enum {string} */
            action: "start" | "stop" | "restart" | "freeze" | "unfreeze";
            /** @description Seconds a clean stop may take; -1 for ever. */
            timeout?: number;
            /** @description Kill it instead. */
            force?: boolean;
            /** @description Save or restore its memory. */
            stateful?: boolean;
        };
        InstanceRebuildPost: {
            source: components["schemas"]["InstanceSource"];
        };
        /** @description What an image said of itself. */
        InstanceMetadata: {
            architecture: string;
            /** @description Seconds since the epoch. */
            creation_date: number;
            /** @description Seconds since the epoch; 0 for never. */
            expiry_date: number;
            properties: components["schemas"]["Config"];
            /** @description By the path of the file that each makes. */
            templates: {
                [key: string]: components["schemas"]["MetadataTemplate"];
            } | null;
        };
        InstanceMetadataPut: {
            architecture?: string;
            creation_date?: number;
            expiry_date?: number;
            properties?: components["schemas"]["Config"];
            templates?: {
                [key: string]: components["schemas"]["MetadataTemplate"];
            } | null;
        };
        MetadataTemplate: {
            /** @description Of create, copy, rename and start. */
            when?: string[];
            /** @description Not where the file is there already. */
            create_only?: boolean;
            /** @description Name of the template. */
            template?: string;
            properties?: components["schemas"]["Config"];
        };
        InstanceExecPost: {
            /** @description Program and arguments. */
            command?: string[];
            /** @description Run it when the streams are connected. */
            "wait-for-websocket"?: boolean;
            /** @description With a terminal. */
            interactive?: boolean;
            environment?: components["schemas"]["Config"];
            /** @description Columns of the terminal. */
            width?: number;
            /** @description Rows of the terminal. */
            height?: number;
            /** @description Keep output as log files; not with streams. */
            "record-output"?: boolean;
            user?: number;
            group?: number;
            cwd?: string;
        };
        /** @description A message of the client on the control stream of a command. */
        InstanceExecControl: {
            /** @enum {string} */
            command: "window-resize" | "signal";
            args?: components["schemas"]["WindowSize"];
            /** @description Number of the signal. */
            signal?: number;
        };
        InstanceConsolePost: {
            width?: number;
            height?: number;
            /**
             * @description Console when left out.
             * @enum {string}
             */
            type?: "" | "console" | "vga";
        };
        /** @description A message of the client on the control stream of a console. */
        InstanceConsoleControl: {
            /** @enum {string} */
            command: "window-resize";
            args?: components["schemas"]["WindowSize"];
        };
        WindowSize: {
            /** @description Columns as a decimal number. */
            width?: string;
            /** @description Rows as a decimal number. */
            height?: string;
        };
        Image: {
            /** @description SHA-256 of its files. */
            fingerprint: string;
            filename: string;
            size: number;
            architecture: string;
            /** @enum {string} */
            type: "container" | "virtual-machine";
            aliases: components["schemas"]["ImageAlias"][];
            properties: components["schemas"]["Config"];
            profiles: string[];
            public: boolean;
            auto_update: boolean;
            /** @description Fetched for an instance rather than asked for. */
            cached: boolean;
            /** Format: date-time */
            created_at: string;
            /** Format: date-time */
            uploaded_at: string;
            /** Format: date-time */
            last_used_at: string;
            /** Format: date-time */
            expires_at: string;
            update_source?: components["schemas"]["ImageSource"];
        };
        ImageAlias: {
            name: string;
            description: string;
        };
        /** @description Where an image came from. */
        ImageSource: {
            alias: string;
            certificate: string;
            image_type: string;
            protocol: string;
            server: string;
        };
        ImagePut: {
            auto_update?: boolean;
            /** Format: date-time */
            expires_at?: string;
            profiles?: string[];
            properties?: components["schemas"]["Config"];
            public?: boolean;
        };
        ImagesPost: {
            source?: components["schemas"]["ImagesPostSource"];
            aliases?: components["schemas"]["ImagesPostAlias"][];
            auto_update?: boolean;
            compression_algorithm?: string;
            /** Format: date-time */
            expires_at?: string;
            filename?: string;
            profiles?: string[];
            properties?: components["schemas"]["Config"];
            public?: boolean;
            /** @description Of an instance. It goes when it was not used for `images.remote_cache_expiry` days. */
            cached?: boolean;
            /** @description Of an instance. The same files give the same image: this is its creation date, what was changed later counts as changed then, and everything has its order. Seconds since the epoch. */
            source_date_epoch?: number;
            /** @description With `source_date_epoch`. Patterns of absolute paths inside that are left out; `*` does not match a slash. */
            exclude?: string[];
        };
        ImagesPostSource: {
            type?: string;
            mode?: string;
            name?: string;
            url?: string;
            server?: string;
            /** @description What the other server speaks: `lxd` (also when absent), `simplestreams` or `oci`. */
            protocol?: string;
            /** @description Of a registry (`oci`): `REPOSITORY:TAG` or `REPOSITORY@DIGEST`. */
            alias?: string;
            fingerprint?: string;
            /** @description PEM that the other server must show. */
            certificate?: string;
            /** @description For an image that is not public; of a registry it is `USER:PASSWORD`. It is shown nowhere. */
            secret?: string;
            image_type?: string;
            project?: string;
        };
        ImagesPostAlias: {
            name?: string;
            description?: string;
        };
        ImageExportPost: {
            /** @description The other server, `https://HOST:PORT`. */
            target?: string;
            /** @description Of the operation by which that server expects the image. */
            secret?: string;
            /** @description PEM that it must show; left out: one that this machine trusts. */
            certificate?: string;
            /** @description Its project. */
            project?: string;
            /** @description Said when the image was announced. */
            aliases?: Record<string, never>[] | null;
            /** @description Said when the image was announced. */
            profiles?: string[] | null;
        };
        /** @description The two files of a split image. */
        ImagesPostSplit: {
            metadata: string;
            rootfs: string;
        };
        ImageAliasesEntry: {
            name: string;
            description: string;
            /** @description Fingerprint of the image. */
            target: string;
            /** @enum {string} */
            type: "container" | "virtual-machine";
        };
        ImageAliasesPost: {
            name: string;
            description?: string;
            /** @description Fingerprint of the image, or its first characters. */
            target: string;
            /** @description Not looked at; the type is the image’s. */
            type?: string;
        };
        ImageAliasesEntryPut: {
            description?: string;
            target: string;
        };
        ImageAliasesEntryPatch: {
            description?: string;
            target?: string;
        };
        ImageAliasesEntryPost: {
            /** @description The new name. */
            name: string;
        };
        Profile: {
            name: string;
            description: string;
            config: components["schemas"]["Config"];
            devices: components["schemas"]["Devices"];
            used_by: components["schemas"]["Paths"];
        };
        ProfilesPost: {
            name: string;
            description?: string;
            config?: components["schemas"]["Config"];
            devices?: components["schemas"]["Devices"];
        };
        ProfilePut: {
            description?: string;
            config?: components["schemas"]["Config"];
            devices?: components["schemas"]["Devices"];
        };
        ProfilePost: {
            /** @description The new name. */
            name: string;
        };
        StoragePool: {
            name: string;
            description: string;
            /** @example btrfs */
            driver: string;
            /** @enum {string} */
            status: "Pending" | "Created" | "Errored" | "Unknown";
            config: components["schemas"]["Config"];
            used_by: string[] | null;
            /** @description Members that have it; `none` outside clusters. */
            locations: string[] | null;
        };
        StoragePoolsPost: {
            name: string;
            driver: string;
            description?: string;
            config?: components["schemas"]["Config"];
        };
        StoragePoolPut: {
            description?: string;
            config?: components["schemas"]["Config"];
        };
        ResourcesStoragePool: {
            space: components["schemas"]["ResourcesStoragePoolSpace"];
            inodes: components["schemas"]["ResourcesStoragePoolInodes"];
        };
        ResourcesStoragePoolSpace: {
            used?: number;
            total: number;
        };
        ResourcesStoragePoolInodes: {
            used: number;
            /** @description 0 when there is no limit. */
            total: number;
        };
        StorageVolume: {
            name: string;
            description: string;
            /** @enum {string} */
            type: "container" | "virtual-machine" | "image" | "custom";
            /** @enum {string} */
            content_type: "filesystem" | "block";
            config: components["schemas"]["Config"];
            used_by: components["schemas"]["Paths"];
            location: string;
            project: string;
            /** Format: date-time */
            created_at: string;
        };
        StorageVolumesPost: {
            name?: string;
            /** @description Always `custom`; may be left out where the path says it. */
            type?: string;
            /** @description `filesystem`, which it is when left out, or `block`: bytes that only virtual machines use, kept and copied here. A copy is what its source is. */
            content_type?: string;
            description?: string;
            config?: components["schemas"]["Config"];
            source?: components["schemas"]["StorageVolumeSource"];
        };
        /** @description Of what it is a copy. */
        StorageVolumeSource: {
            /** @description `copy`, or `migration` from another server; empty: it is new. */
            type?: string;
            /** @description A volume, or one of its snapshots: `VOLUME/SNAPSHOT`. */
            name?: string;
            pool?: string;
            project?: string;
            /** @description Without its snapshots. */
            volume_only?: boolean;
            /** @description Of `migration`: `pull` or `push`. */
            mode?: string;
            /** @description Of `pull`: the operation of the other server. */
            operation?: string;
            secrets?: {
                [key: string]: string;
            } | null;
            /** @description PEM that the other server must show. */
            certificate?: string;
            /** @description A volume that is there already is brought up to date, with its snapshots. */
            refresh?: boolean;
        };
        StorageVolumePut: {
            description?: string;
            config?: components["schemas"]["Config"];
            /** @description Name of the snapshot that it becomes again. */
            restore?: string;
        };
        StorageVolumePost: {
            /** @description Its new name. */
            name?: string;
            /** @description The pool that it moves to. */
            pool?: string;
            /** @description It is sent to another server. */
            migration?: boolean;
            /** @description Without its snapshots. */
            volume_only?: boolean;
            /** @description The operation of the other server; left out, that server comes with the secrets of ours. */
            target?: {
                operation?: string;
                secrets?: {
                    [key: string]: string;
                } | null;
                certificate?: string;
            } | null;
        };
        StorageVolumeState: {
            usage: {
                /** @description Bytes; absent where the pool cannot tell. */
                used?: number;
                /** @description Bytes that it may have; 0: no limit. */
                total: number;
            };
        };
        StorageVolumeSnapshot: {
            /** @description In lists: `VOLUME/SNAPSHOT`. */
            name: string;
            description: string;
            config: components["schemas"]["Config"];
            /** @description Empty in lists. */
            content_type: string;
            /** Format: date-time */
            expires_at: string | null;
            /** Format: date-time */
            created_at: string;
        };
        StorageVolumeSnapshotsPost: {
            /** @description Left out: the next one of `snapshots.pattern`. */
            name?: string;
            description?: string;
            /**
             * Format: date-time
             * @description When it is deleted. Left out: by `snapshots.expiry`.
             */
            expires_at?: string | null;
        };
        StorageVolumeSnapshotPut: {
            description?: string;
            /** Format: date-time */
            expires_at?: string | null;
        };
        StorageVolumeSnapshotPost: {
            /** @description Its new name. */
            name?: string;
        };
        Network: {
            name: string;
            description: string;
            /** @example bridge */
            type: string;
            /** @description Whether it is ours; else it is an interface of the host. */
            managed: boolean;
            /** @enum {string} */
            status: "" | "Pending" | "Created" | "Errored" | "Unknown" | "Unavailable";
            config: components["schemas"]["Config"];
            used_by: string[] | null;
            /** @description Members that have it; `none` outside clusters. */
            locations: string[] | null;
        };
        NetworksPost: {
            name: string;
            /** @description Bridge when left out. */
            type?: string;
            description?: string;
            config?: components["schemas"]["Config"];
        };
        NetworkPut: {
            description?: string;
            config?: components["schemas"]["Config"];
        };
        NetworkPost: {
            /** @description The new name. */
            name: string;
        };
        NetworkLease: {
            hostname: string;
            hwaddr: string;
            address: string;
            /** @enum {string} */
            type: "static" | "dynamic" | "gateway" | "uplink";
            location: string;
        };
        NetworkState: {
            addresses: components["schemas"]["NetworkStateAddress"][] | null;
            counters: components["schemas"]["NetworkStateCounters"];
            hwaddr: string;
            mtu: number;
            /** @enum {string} */
            state: "up" | "down";
            /** @example broadcast */
            type: string;
            bond: null;
            bridge: components["schemas"]["NetworkStateBridge"] | null;
            vlan: null;
            ovn: null;
        };
        NetworkStateAddress: {
            /** @enum {string} */
            family: "inet" | "inet6";
            address: string;
            /** @description Length of the prefix. */
            netmask: string;
            /** @enum {string} */
            scope: "global" | "link" | "local";
        };
        NetworkStateCounters: {
            bytes_received: number;
            bytes_sent: number;
            packets_received: number;
            packets_sent: number;
        };
        NetworkStateBridge: {
            id: string;
            stp: boolean;
            /** @description Hundredths of a second. */
            forward_delay: number;
            vlan_default: number;
            vlan_filtering: boolean;
            upper_devices: string[] | null;
        };
        Project: {
            name: string;
            description: string;
            config: components["schemas"]["Config"];
            used_by: components["schemas"]["Paths"];
        };
        CertificatesPost: {
            name?: string;
            /** @description client or metrics. */
            type?: string;
            /** @description Only for the projects named. */
            restricted?: boolean;
            projects?: string[] | null;
            /** @description Base64 of DER, or PEM; left out, the one shown over TLS. */
            certificate?: string;
            /** @description The trust password, or a token. */
            password?: string;
            /** @description Make a token instead. */
            token?: boolean;
        };
        CertificatePut: {
            name?: string;
            type?: string;
            restricted?: boolean;
            projects?: string[] | null;
            /** @description Its successor: base64 of DER, or PEM. */
            certificate?: string;
            /** @description Ignored. */
            fingerprint?: string;
        };
        Certificate: {
            name: string;
            /** @enum {string} */
            type: "client" | "server" | "metrics";
            restricted: boolean;
            projects: string[] | null;
            /** @description PEM. */
            certificate: string;
            /** @description SHA-256. */
            fingerprint: string;
        };
        Cluster: {
            server_name: string;
            enabled: boolean;
            /** @description What a machine is asked for when it joins. */
            member_config: components["schemas"]["ClusterMemberConfigKey"][] | null;
        };
        ClusterMemberConfigKey: {
            /** @enum {string} */
            entity: "storage-pool" | "network";
            name: string;
            key: string;
            value: string;
            description?: string;
        };
        ClusterMember: {
            server_name: string;
            url: string;
            /** @enum {string} */
            status: "Online" | "Evacuated" | "Offline" | "Blocked";
            message: string;
            roles: string[];
            /** @description Whether it keeps a copy of the state. */
            database: boolean;
            architecture: string;
            failure_domain: string;
            description: string;
            config: components["schemas"]["Config"];
            groups: string[];
        };
        ClusterPut: {
            /** @description Its name as a member. */
            server_name?: string;
            enabled?: boolean;
            /** @description HOST:PORT at which the other members reach it. */
            server_address?: string;
            /** @description HOST:PORT of a member of the cluster to join. */
            cluster_address?: string;
            /** @description That cluster’s certificate, PEM. */
            cluster_certificate?: string;
            /** @description A join token, as LXD’s clients send it. */
            cluster_password?: string;
            /** @description A join token. */
            cluster_token?: string;
            /** @description Options of pools and networks that are this member’s own. */
            member_config?: components["schemas"]["ClusterMemberConfigKey"][] | null;
        };
        ClusterEnrollPost: {
            server_name: string;
            /** @description Of its join token. */
            secret: string;
            /** @description HOST:PORT at which the other members reach it. */
            address: string;
            /** @description PKCS#10, PEM; its subject is ignored. */
            certificate_request: string;
            /** @description Whether it may become a member of the control plane. */
            eligible?: boolean;
            member_config?: components["schemas"]["ClusterMemberConfigKey"][];
        };
        ClusterEnrolled: {
            /** @description PEM, signed by the authority. */
            certificate: string;
            /** @description PEM; it signs for all members. */
            authority: string;
            /** @description HOST:PORT of its members. */
            control_plane: string[];
        };
        ClusterExplanation: {
            instance: string;
            project: string;
            /** @description Whether it is there already. */
            placed: boolean;
            /** @description Member it is on, or would go to; empty when none can take it. */
            location: string;
            /** @description The outcome in a sentence. */
            message: string;
            /** @description What the instance asks of a member. */
            request: {
                architecture: string;
                /** @description A member, or a group as `@group`; empty for any. */
                target: string;
                /** @description 0 for no limit. */
                cpus: number;
                /** @description Bytes; 0 for no limit. */
                memory: number;
                /** @description Storage pool → bytes. */
                disk: {
                    [key: string]: number;
                };
                storage_pools: string[];
                networks: string[];
                labels: string[];
                affinity: string[];
                anti_affinity: string[];
            };
            /** @description The best first, those that cannot take it last. */
            members: components["schemas"]["ClusterExplanationMember"][];
        };
        ClusterExplanationMember: {
            server_name: string;
            chosen: boolean;
            possible: boolean;
            /** @description Why it cannot take the instance; read after its name. */
            reasons: string[];
            /** @enum {string} */
            status: "online" | "unreachable" | "offline" | "evacuated";
            failure_domain: string;
            groups: string[];
            /** @description How many others it holds. */
            instances: number;
            /** @description Instances with one of the labels in its failure domain; the fewest first. */
            labelled_in_failure_domain: number;
            /** @description The same on the member itself. */
            labelled_here: number;
            has_image: boolean;
            /** @description Of CPUs, memory and disk the fullest with it, in percent. */
            fullness: number;
            cpus: components["schemas"]["ClusterExplanationAmount"];
            memory: components["schemas"]["ClusterExplanationAmount"];
            /** @description Storage pool → bytes; of the pools in which it sets room aside. */
            disk: {
                [key: string]: components["schemas"]["ClusterExplanationAmount"];
            };
        };
        /** @description Memory and disk in bytes. */
        ClusterExplanationAmount: {
            /** @description What may be given away, overcommitment included. */
            total: number;
            /** @description What other instances have. */
            reserved: number;
        };
        ClusterMembersPost: {
            /** @description Name of the machine that will join. */
            server_name: string;
        };
        ClusterMemberPut: {
            /** @description Those the cluster gives, and any of `event-hub` and `ovn-chassis`. */
            roles?: string[] | null;
            failure_domain?: string;
            description?: string;
            config?: components["schemas"]["Config"];
            /** @description At least one. */
            groups?: string[] | null;
        };
        /** @description What is left out stays. */
        ClusterMemberPatch: {
            roles?: string[] | null;
            failure_domain?: string | null;
            description?: string | null;
            config?: components["schemas"]["Config"];
            groups?: string[] | null;
        };
        ClusterMemberPost: {
            /** @description The new name. */
            server_name?: string;
        };
        ClusterMemberStatePost: {
            /** @description `evacuate` or `restore`. */
            action?: string;
            /** @description How to evacuate every instance: `stop`, `migrate` or `live-migrate`; empty: as `cluster.evacuate` of each says. */
            mode?: string;
        };
        ClusterGroup: {
            name: string;
            description: string;
            members: string[];
        };
        ClusterGroupsPost: {
            name?: string;
            description?: string;
            members?: string[] | null;
        };
        ClusterGroupPut: {
            description?: string;
            members?: string[] | null;
        };
        /** @description What is left out stays. */
        ClusterGroupPatch: {
            description?: string | null;
            members?: string[] | null;
        };
        ClusterGroupPost: {
            /** @description The new name. */
            name?: string;
        };
        ClusterCertificatePut: {
            /** @description PEM. */
            cluster_certificate?: string;
            /** @description PEM. */
            cluster_certificate_key?: string;
        };
        /** @description Metadata of the operation that gives out a join token. */
        ClusterMemberJoinToken: {
            serverName: string;
            secret: string;
            /** @description Of the cluster’s certificate. */
            fingerprint: string;
            addresses: string[];
            /** Format: date-time */
            expiresAt?: string;
        };
        Resources: {
            cpu: components["schemas"]["ResourcesCPU"];
            memory: components["schemas"]["ResourcesMemory"];
            gpu: components["schemas"]["ResourcesGPU"];
            network: components["schemas"]["ResourcesNetwork"];
            storage: components["schemas"]["ResourcesStorage"];
            usb: components["schemas"]["ResourcesUSB"];
            pci: components["schemas"]["ResourcesPCI"];
            system: components["schemas"]["ResourcesSystem"];
        };
        /** @description What cards of every kind have in common. */
        ResourcesCard: {
            driver?: string;
            /** @description Of the module, or the kernel's. */
            driver_version?: string;
            numa_node?: number;
            pci_address?: string;
            usb_address?: string;
            vendor?: string;
            /** @description Hexadecimal. */
            vendor_id?: string;
            product?: string;
            product_id?: string;
        };
        ResourcesGPU: {
            cards: components["schemas"]["ResourcesGPUCard"][];
            total: number;
        };
        ResourcesGPUCard: components["schemas"]["ResourcesCard"] & {
            drm?: {
                id: number;
                card_name?: string;
                /** @description MAJOR:MINOR */
                card_device?: string;
                control_name?: string;
                control_device?: string;
                render_name?: string;
                render_device?: string;
            };
            nvidia?: {
                nvrm_version?: string;
                model?: string;
                uuid?: string;
                card_name?: string;
                card_device?: string;
            };
            /** @description Mediated devices that it can be split into, by type. */
            mdev?: {
                [key: string]: {
                    api?: string;
                    name?: string;
                    description?: string;
                    available: number;
                    devices: string[];
                };
            };
            sriov?: {
                current_vfs: number;
                maximum_vfs: number;
                vfs: components["schemas"]["ResourcesGPUCard"][] | null;
            };
        };
        ResourcesNetwork: {
            cards: components["schemas"]["ResourcesNetworkCard"][];
            total: number;
        };
        ResourcesNetworkCard: components["schemas"]["ResourcesCard"] & {
            ports?: components["schemas"]["ResourcesNetworkCardPort"][];
            sriov?: {
                current_vfs: number;
                maximum_vfs: number;
                vfs: components["schemas"]["ResourcesNetworkCard"][] | null;
            };
        };
        ResourcesNetworkCardPort: {
            /** @description Name of the interface. */
            id: string;
            address?: string;
            port: number;
            /** @enum {string} */
            protocol: "ethernet" | "infiniband";
            auto_negotiation: boolean;
            link_detected: boolean;
            /** @description Mbit/s. */
            link_speed?: number;
            link_duplex?: string;
            infiniband?: {
                issm_name?: string;
                issm_device?: string;
                mad_name?: string;
                mad_device?: string;
                verb_name?: string;
                verb_device?: string;
            };
        };
        ResourcesStorage: {
            disks: components["schemas"]["ResourcesStorageDisk"][];
            total: number;
        };
        ResourcesStorageDisk: {
            id: string;
            /** @description MAJOR:MINOR */
            device: string;
            /** @description Its name below /dev/disk/by-id. */
            device_id: string;
            device_path?: string;
            model?: string;
            type?: string;
            firmware_version?: string;
            serial?: string;
            wwn?: string;
            pci_address?: string;
            usb_address?: string;
            read_only: boolean;
            removable: boolean;
            /** @description Bytes. */
            size: number;
            block_size: number;
            /** @description 0 for one that does not turn. */
            rpm: number;
            numa_node: number;
            partitions: {
                id: string;
                device: string;
                read_only: boolean;
                size: number;
                partition: number;
            }[];
        };
        ResourcesUSB: {
            devices: {
                bus_address: number;
                device_address: number;
                vendor: string;
                vendor_id: string;
                product: string;
                product_id: string;
                /** @description Mbit/s. */
                speed: number;
                interfaces: {
                    class: string;
                    class_id: number;
                    driver?: string;
                    driver_version?: string;
                    number: number;
                    subclass: string;
                    subclass_id: number;
                }[];
            }[];
            total: number;
        };
        ResourcesPCI: {
            devices: (components["schemas"]["ResourcesCard"] & {
                iommu_group: number;
                vpd: Record<string, never>;
            })[];
            total: number;
        };
        ResourcesCPU: {
            architecture: string;
            sockets: components["schemas"]["ResourcesCPUSocket"][];
            /** @description Threads. */
            total: number;
        };
        ResourcesCPUSocket: {
            socket: number;
            name?: string;
            vendor?: string;
            cache?: components["schemas"]["ResourcesCPUCache"][];
            cores: components["schemas"]["ResourcesCPUCore"][];
            /** @description MHz. */
            frequency?: number;
            frequency_minimum?: number;
            frequency_turbo?: number;
        };
        ResourcesCPUCache: {
            level: number;
            /** @enum {string} */
            type: "Data" | "Instruction" | "Unified";
            size: number;
        };
        ResourcesCPUCore: {
            core: number;
            die: number;
            threads: components["schemas"]["ResourcesCPUThread"][];
            frequency?: number;
        };
        ResourcesCPUThread: {
            id: number;
            numa_node: number;
            thread: number;
            online: boolean;
            isolated: boolean;
        };
        ResourcesMemory: {
            nodes: components["schemas"]["ResourcesMemoryNode"][] | null;
            hugepages_total: number;
            hugepages_used: number;
            hugepages_size: number;
            used: number;
            total: number;
        };
        ResourcesMemoryNode: {
            numa_node: number;
            hugepages_used: number;
            hugepages_total: number;
            used: number;
            total: number;
        };
        ResourcesSystem: {
            uuid: string;
            vendor: string;
            product: string;
            family: string;
            version: string;
            sku: string;
            serial: string;
            /** @enum {string} */
            type: "unknown" | "physical" | "virtual-machine" | "container";
            firmware: components["schemas"]["ResourcesSystemFirmware"] | null;
            chassis: components["schemas"]["ResourcesSystemChassis"] | null;
            motherboard: components["schemas"]["ResourcesSystemMotherboard"] | null;
        };
        ResourcesSystemFirmware: {
            vendor: string;
            date: string;
            version: string;
        };
        ResourcesSystemChassis: {
            vendor: string;
            type: string;
            serial: string;
            version: string;
        };
        ResourcesSystemMotherboard: {
            vendor: string;
            product: string;
            serial: string;
            version: string;
        };
        Warning: {
            uuid: string;
            /** @description What it warns of. */
            type: string;
            /** @enum {string} */
            severity: "low" | "moderate" | "high";
            /** @enum {string} */
            status: "new" | "acknowledged" | "resolved";
            count: number;
            /** Format: date-time */
            first_seen_at: string;
            /** Format: date-time */
            last_seen_at: string;
            last_message: string;
            location: string;
            project: string;
            /** @description Path of what it is about. */
            entity_url: string;
        };
    };
    responses: {
        /** @description Done. */
        Empty: {
            headers: {
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["EmptyResponse"];
            };
        };
        /** @description Created, or now under this name. */
        Created: {
            headers: {
                Location: components["headers"]["Location"];
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["EmptyResponse"];
            };
        };
        /** @description It goes on as an operation. */
        Operation: {
            headers: {
                Location: components["headers"]["Location"];
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["AsyncResponse"];
            };
        };
        /** @description The connection is a websocket from now on. */
        Websocket: {
            headers: {
                [name: string]: unknown;
            };
            content?: never;
        };
        /** @description The file. */
        File: {
            headers: {
                "Content-Disposition": components["headers"]["ContentDisposition"];
                [name: string]: unknown;
            };
            content: {
                "application/octet-stream": unknown;
            };
        };
        /** @description The request makes no sense; the message names the field. */
        BadRequest: {
            headers: {
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["ErrorResponse"];
            };
        };
        /** @description Not allowed. */
        Forbidden: {
            headers: {
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["ErrorResponse"];
            };
        };
        /** @description There is no such thing. */
        NotFound: {
            headers: {
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["ErrorResponse"];
            };
        };
        /** @description The name is taken. */
        Conflict: {
            headers: {
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["ErrorResponse"];
            };
        };
        /** @description It has changed since the ETag was given out. */
        PreconditionFailed: {
            headers: {
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["ErrorResponse"];
            };
        };
        /** @description The body is larger than the server takes. */
        TooLarge: {
            headers: {
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["ErrorResponse"];
            };
        };
        /** @description Not now; it may be worth trying again. */
        Unavailable: {
            headers: {
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["ErrorResponse"];
            };
        };
        /** @description It went wrong. */
        Error: {
            headers: {
                [name: string]: unknown;
            };
            content: {
                "application/json": components["schemas"]["ErrorResponse"];
            };
        };
    };
    parameters: {
        /** @description Project to work in. */
        Project: string;
        /** @description From every project. */
        AllProjects: boolean;
        /** @description Name of an instance. */
        InstanceQuery: string;
        /** @description Member of the cluster to ask or to use. */
        Target: string;
        /** @description Name of a member. */
        MemberName: string;
        /** @description Name of a group of members. */
        GroupName: string;
        /** @description 0 for paths, 1 for objects; more where it says so. */
        Recursion: number;
        /** @description Only what matches, such as `status eq Running and config.user.owner ne me`. */
        Filter: string;
        /** @description Only instances of this type. */
        InstanceType: "container" | "virtual-machine";
        /** @description Kinds of events, separated by commas; all of them when left out. */
        EventTypes: string;
        /** @description Seconds to wait, -1 for ever. */
        OperationTimeout: number;
        /** @description Secret of the stream. */
        Secret: string;
        /** @description Secret of the operation. */
        OptionalSecret: string;
        /** @description Of the certificate, or a beginning that only one has. */
        CertificateFingerprint: string;
        /** @description Only stop the instances of this member, which goes down. */
        StoppedMember: string;
        /** @description Do not wait for running operations. */
        Force: boolean;
        /** @description 1 when it is dead. */
        ForceRemoval: string;
        /** @description Refuse the change when the ETag is another by now. */
        IfMatch: string;
        /** @description SHA-256 the upload must have. */
        ImageFingerprintHeader: string;
        /** @description What another server sends instead of a certificate that is trusted. */
        ImageSecret: string;
        /** @description Name to give to the file. */
        ImageFilename: string;
        /** @description `1` or `true` for a public image. */
        ImagePublic: string;
        /** @description Properties to add, encoded like a query. */
        ImageProperties: string;
        /** @description Profiles of instances made from it, encoded like a query. */
        ImageProfiles: string;
        /** @description Aliases to add, encoded like a query. */
        ImageAliases: string;
        /** @description UUID of the operation. */
        OperationId: string;
        /** @description Name of the instance. */
        InstanceName: string;
        /** @description Name of the snapshot. */
        SnapshotName: string;
        /** @description Name of the backup. */
        BackupPath: string;
        /** @description Of a backup: the storage pool to put it in, instead of the one it was in. */
        BackupPool: string;
        /** @description Of a backup: the name of the instance, or volume, instead of the one it had. */
        BackupName: string;
        /** @description Path of the file, from the root of the instance. */
        FilePath: string;
        /** @description Who owns what is made, as it is numbered inside. Default 0. */
        FileOwner: string;
        /** @description The group of what is made, as it is numbered inside. Default 0. */
        FileGroup: string;
        /** @description The mode of what is made, octal with a zero in front, else decimal. Default 0644, for directories 0750. */
        FileMode: string;
        /** @description What is made. Default file. */
        FileType: "file" | "directory" | "symlink";
        /** @description Whether the content replaces what is there, or goes behind it. A file to append to must be there. */
        FileWrite: "overwrite" | "append";
        /** @description Name of the template's file. */
        TemplateName: string;
        /** @description Name of the file. */
        LogFile: string;
        /** @description Which of the files of the image, as the list of images names it. */
        ImageFileName: string;
        /** @description SHA-256 of the image, or the first characters of it. */
        Fingerprint: string;
        /** @description Name of the alias. */
        AliasName: string;
        /** @description Name of the profile. */
        ProfileName: string;
        /** @description Name of the storage pool. */
        PoolName: string;
        /** @description Type of the volumes. */
        VolumeType: "container" | "virtual-machine" | "image" | "custom";
        /** @description Name of the volume. */
        VolumeName: string;
        /** @description Name of the network. */
        NetworkName: string;
        /** @description Name of the project. */
        ProjectName: string;
    };
    requestBodies: never;
    headers: {
        /** @description Stands for what a PUT would replace; give it back as If-Match. */
        ETag: string;
        /** @description Path of what was created. */
        Location: string;
        /** @description Names the file. */
        ContentDisposition: string;
        /** @description Its owner, as it is numbered inside. */
        FileOwner: string;
        /** @description Its group, as it is numbered inside. */
        FileGroup: string;
        /** @description Its mode, octal with a zero in front; the bits of set-user-ID, set-group-ID and sticky stand before the others. */
        FileMode: string;
        /** @description What it is. */
        FileType: "file" | "directory" | "symlink";
        /** @description When it was last changed, in UTC. */
        FileModified: string;
    };
    pathItems: never;
}
export type $defs = Record<string, never>;
export interface operations {
    apiGet: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Paths of the supported versions. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SyncResponse"] & {
                        metadata: components["schemas"]["Paths"];
                    };
                };
            };
            default: components["responses"]["Error"];
        };
    };
    streamIndexGet: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description An index of simplestreams. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": Record<string, never>;
                };
            };
            default: components["responses"]["Error"];
        };
    };
    streamImagesGet: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Products of simplestreams. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": Record<string, never>;
                };
            };
            default: components["responses"]["Error"];
        };
    };
    streamFileGet: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description SHA-256 of the image, or the first characters of it. */
                fingerprint: components["parameters"]["Fingerprint"];
                /** @description Which of the files of the image, as the list of images names it. */
                filename: components["parameters"]["ImageFileName"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The file. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/octet-stream": unknown;
                };
            };
            404: components["responses"]["NotFound"];
            default: components["responses"]["Error"];
        };
    };
    serverGet: {
        parameters: {
            query?: {
                /** @description Project to work in. */
                project?: components["parameters"]["Project"];
                /** @description Member of the cluster to ask or to use. */
                target?: components["parameters"]["Target"];
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The server. */
            200: {
                headers: {
                    ETag: components["headers"]["ETag"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SyncResponse"] & {
                        metadata: components["schemas"]["Server"] | components["schemas"]["ServerUntrusted"];
                    };
                };
            };
            default: components["responses"]["Error"];
        };
    };
    serverPut: {
        parameters: {
            query?: {
                /** @description Member of the cluster to ask or to use. */
                target?: components["parameters"]["Target"];
            };
            header?: {
                /** @description Refuse the change when the ETag is another by now. */
                "If-Match"?: components["parameters"]["IfMatch"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ServerPut"];
            };
        };
        responses: {
            200: components["responses"]["Empty"];
            400: components["responses"]["BadRequest"];
            412: components["responses"]["PreconditionFailed"];
            default: components["responses"]["Error"];
        };
    };
    serverPatch: {
        parameters: {
            query?: {
                /** @description Member of the cluster to ask or to use. */
                target?: components["parameters"]["Target"];
            };
            header?: {
                /** @description Refuse the change when the ETag is another by now. */
                "If-Match"?: components["parameters"]["IfMatch"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ServerPut"];
            };
        };
        responses: {
            200: components["responses"]["Empty"];
            400: components["responses"]["BadRequest"];
            412: components["responses"]["PreconditionFailed"];
            default: components["responses"]["Error"];
        };
    };
    eventsGet: {
        parameters: {
            query?: {
                /** @description Project to work in. */
                project?: components["parameters"]["Project"];
                /** @description Kinds of events, separated by commas; all of them when left out. */
                type?: components["parameters"]["EventTypes"];
                /** @description From every project. */
                "all-projects"?: components["parameters"]["AllProjects"];
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            101: components["responses"]["Websocket"];
            400: components["responses"]["BadRequest"];
            default: components["responses"]["Error"];
        };
    };
    operationsGet: {
        parameters: {
            query?: {
                /** @description Project to work in. */
                project?: components["parameters"]["Project"];
                /** @description From every project. */
                "all-projects"?: components["parameters"]["AllProjects"];
                /** @description 0 for paths, 1 for objects; more where it says so. */
                recursion?: components["parameters"]["Recursion"];
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Status → operations. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SyncResponse"] & {
                        metadata: {
                            [key: string]: components["schemas"]["Paths"];
                        } | {
                            [key: string]: components["schemas"]["Operation"][];
                        };
                    };
                };
            };
            default: components["responses"]["Error"];
        };
    };
    operationGet: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description UUID of the operation. */
                id: components["parameters"]["OperationId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The operation. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SyncResponse"] & {
                        metadata: components["schemas"]["Operation"];
                    };
                };
            };
            404: components["responses"]["NotFound"];
            default: components["responses"]["Error"];
        };
    };
    operationDelete: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description UUID of the operation. */
                id: components["parameters"]["OperationId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: components["responses"]["Empty"];
            400: components["responses"]["BadRequest"];
            404: components["responses"]["NotFound"];
            default: components["responses"]["Error"];
        };
    };
    operationWaitGet: {
        parameters: {
            query?: {
                /** @description Seconds to wait, -1 for ever. */
                timeout?: components["parameters"]["OperationTimeout"];
                /** @description Secret of the operation. */
                secret?: components["parameters"]["OptionalSecret"];
            };
            header?: never;
            path: {
                /** @description UUID of the operation. */
                id: components["parameters"]["OperationId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The operation as it is now. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SyncResponse"] & {
                        metadata: components["schemas"]["Operation"];
                    };
                };
            };
            400: components["responses"]["BadRequest"];
            404: components["responses"]["NotFound"];
            default: components["responses"]["Error"];
        };
    };
    operationWebsocketGet: {
        parameters: {
            query: {
                /** @description Secret of the stream. */
                secret: components["parameters"]["Secret"];
            };
            header?: never;
            path: {
                /** @description UUID of the operation. */
                id: components["parameters"]["OperationId"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            101: components["responses"]["Websocket"];
            400: components["responses"]["BadRequest"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            default: components["responses"]["Error"];
        };
    };
    instancesGet: {
        parameters: {
            query?: {
                /** @description Project to work in. */
                project?: components["parameters"]["Project"];
                /** @description From every project. */
                "all-projects"?: components["parameters"]["AllProjects"];
                /** @description 0 for paths, 1 for objects; more where it says so. */
                recursion?: components["parameters"]["Recursion"];
                /** @description Only what matches, such as `status eq Running and config.user.owner ne me`. */
                filter?: components["parameters"]["Filter"];
                /** @description Only instances of this type. */
                "instance-type"?: components["parameters"]["InstanceType"];
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The instances. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SyncResponse"] & {
                        metadata: components["schemas"]["Paths"] | components["schemas"]["InstanceFull"][] | components["schemas"]["Instance"][];
                    };
                };
            };
            400: components["responses"]["BadRequest"];
            default: components["responses"]["Error"];
        };
    };
    instancesPut: {
        parameters: {
            query?: {
                /** @description Project to work in. */
                project?: components["parameters"]["Project"];
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["InstancesPut"];
            };
        };
        responses: {
            202: components["responses"]["Operation"];
            400: components["responses"]["BadRequest"];
            default: components["responses"]["Error"];
        };
    };
    instancesPost: {
        parameters: {
            query?: {
                /** @description Project to work in. */
                project?: components["parameters"]["Project"];
                /** @description Member of the cluster to ask or to use. */
                target?: components["parameters"]["Target"];
            };
            header?: {
                /** @description Of a backup: the storage pool to put it in, instead of the one it was in. */
                "X-LXD-pool"?: components["parameters"]["BackupPool"];
                /** @description Of a backup: the name of the instance, or volume, instead of the one it had. */
                "X-LXD-name"?: components["parameters"]["BackupName"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["InstancesPost"];
                "application/octet-stream": unknown;
            };
        };
        responses: {
            202: components["responses"]["Operation"];
            400: components["responses"]["BadRequest"];
            404: components["responses"]["NotFound"];
            409: components["responses"]["Conflict"];
            413: components["responses"]["TooLarge"];
            default: components["responses"]["Error"];
        };
    };
    instanceGet: {
        parameters: {
            query?: {
                /** @description Project to work in. */
                project?: components["parameters"]["Project"];
                /** @description 0 for paths, 1 for objects; more where it says so. */
                recursion?: components["parameters"]["Recursion"];
            };
            header?: never;
            path: {
                /** @description Name of the instance. */
                name: components["parameters"]["InstanceName"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The instance. */
            200: {
                headers: {
                    ETag: components["headers"]["ETag"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SyncResponse"] & {
                        metadata: components["schemas"]["InstanceFull"] | components["schemas"]["Instance"];
                    };
                };
            };
            404: components["responses"]["NotFound"];
            default: components["responses"]["Error"];
        };
    };
    instancePut: {
        parameters: {
            query?: {
                /** @description Project to work in. */
                project?: components["parameters"]["Project"];
            };
            header?: {
                /** @description Refuse the change when the ETag is another by now. */
                "If-Match"?: components["parameters"]["IfMatch"];
            };
            path: {
                /** @description Name of the instance. */
                name: components["parameters"]["InstanceName"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["InstancePut"];
            };
        };
        responses: {
            202: components["responses"]["Operation"];
            400: components["responses"]["BadRequest"];
            404: components["responses"]["NotFound"];
            412: components["responses"]["PreconditionFailed"];
            413: components["responses"]["TooLarge"];
            default: components["responses"]["Error"];
        };
    };
    instancePost: {
        parameters: {
            query?: {
                /** @description Project to work in. */
                project?: components["parameters"]["Project"];
                /** @description Member of the cluster to ask or to use. */
                target?: components["parameters"]["Target"];
            };
            header?: never;
            path: {
                /** @description Name of the instance. */
                name: components["parameters"]["InstanceName"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["InstancePost"];
            };
        };
        responses: {
            202: components["responses"]["Operation"];
            400: components["responses"]["BadRequest"];
            404: components["responses"]["NotFound"];
            409: components["responses"]["Conflict"];
            default: components["responses"]["Error"];
        };
    };
    instanceDelete: {
        parameters: {
            query?: {
                /** @description Project to work in. */
                project?: components["parameters"]["Project"];
            };
            header?: never;
            path: {
                /** @description Name of the instance. */
                name: components["parameters"]["InstanceName"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            202: components["responses"]["Operation"];
            400: components["responses"]["BadRequest"];
            404: components["responses"]["NotFound"];
            default: components["responses"]["Error"];
        };
    };
    instancePatch: {
        parameters: {
            query?: {
                /** @description Project to work in. */
                project?: components["parameters"]["Project"];
            };
            header?: {
                /** @description Refuse the change when the ETag is another by now. */
                "If-Match"?: components["parameters"]["IfMatch"];
            };
            path: {
                /** @description Name of the instance. */
                name: components["parameters"]["InstanceName"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["InstancePut"];
            };
        };
        responses: {
            200: components["responses"]["Empty"];
            400: components["responses"]["BadRequest"];
            404: components["responses"]["NotFound"];
            412: components["responses"]["PreconditionFailed"];
            413: components["responses"]["TooLarge"];
            default: components["responses"]["Error"];
        };
    };
    instanceStateGet: {
        parameters: {
            query?: {
                /** @description Project to work in. */
                project?: components["parameters"]["Project"];
            };
            header?: never;
            path: {
                /** @description Name of the instance. */
                name: components["parameters"]["InstanceName"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The state. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SyncResponse"] & {
                        metadata: components["schemas"]["InstanceState"];
                    };
                };
            };
            404: components["responses"]["NotFound"];
            default: components["responses"]["Error"];
        };
    };
    instanceStatePut: {
        parameters: {
            query?: {
                /** @description Project to work in. */
                project?: components["parameters"]["Project"];
            };
            header?: never;
            path: {
                /** @description Name of the instance. */
                name: components["parameters"]["InstanceName"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["InstanceStatePut"];
            };
        };
        responses: {
            202: components["responses"]["Operation"];
            400: components["responses"]["BadRequest"];
            404: components["responses"]["NotFound"];
            default: components["responses"]["Error"];
        };
    };
    instanceExecPost: {
        parameters: {
            query?: {
                /** @description Project to work in. */
                project?: components["parameters"]["Project"];
            };
            header?: never;
            path: {
                /** @description Name of the instance. */
                name: components["parameters"]["InstanceName"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["InstanceExecPost"];
            };
        };
        responses: {
            202: components["responses"]["Operation"];
            400: components["responses"]["BadRequest"];
            404: components["responses"]["NotFound"];
            default: components["responses"]["Error"];
        };
    };
    instanceConsoleGet: {
        parameters: {
            query?: {
                /** @description Project to work in. */
                project?: components["parameters"]["Project"];
            };
            header?: never;
            path: {
                /** @description Name of the instance. */
                name: components["parameters"]["InstanceName"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: components["responses"]["File"];
            400: components["responses"]["BadRequest"];
            404: components["responses"]["NotFound"];
            default: components["responses"]["Error"];
        };
    };
    instanceConsolePost: {
        parameters: {
            query?: {
                /** @description Project to work in. */
                project?: components["parameters"]["Project"];
            };
            header?: never;
            path: {
                /** @description Name of the instance. */
                name: components["parameters"]["InstanceName"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["InstanceConsolePost"];
            };
        };
        responses: {
            202: components["responses"]["Operation"];
            400: components["responses"]["BadRequest"];
            404: components["responses"]["NotFound"];
            default: components["responses"]["Error"];
        };
    };
    instanceConsoleDelete: {
        parameters: {
            query?: {
                /** @description Project to work in. */
                project?: components["parameters"]["Project"];
            };
            header?: never;
            path: {
                /** @description Name of the instance. */
                name: components["parameters"]["InstanceName"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: components["responses"]["Empty"];
            400: components["responses"]["BadRequest"];
            404: components["responses"]["NotFound"];
            default: components["responses"]["Error"];
        };
    };
    instanceFilesGet: {
        parameters: {
            query: {
                /** @description Path of the file, from the root of the instance. */
                path: components["parameters"]["FilePath"];
                /** @description Project to work in. */
                project?: components["parameters"]["Project"];
            };
            header?: never;
            path: {
                /** @description Name of the instance. */
                name: components["parameters"]["InstanceName"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The content, or the names. */
            200: {
                headers: {
                    "Content-Disposition": components["headers"]["ContentDisposition"];
                    "X-LXD-uid": components["headers"]["FileOwner"];
                    "X-LXD-gid": components["headers"]["FileGroup"];
                    "X-LXD-mode": components["headers"]["FileMode"];
                    "X-LXD-type": components["headers"]["FileType"];
                    "X-LXD-modified": components["headers"]["FileModified"];
                    [name: string]: unknown;
                };
                content: {
                    "application/octet-stream": unknown;
                    "application/json": components["schemas"]["SyncResponse"] & {
                        metadata: string[];
                    };
                };
            };
            400: components["responses"]["BadRequest"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            default: components["responses"]["Error"];
        };
    };
    instanceFilesPost: {
        parameters: {
            query: {
                /** @description Path of the file, from the root of the instance. */
                path: components["parameters"]["FilePath"];
                /** @description Project to work in. */
                project?: components["parameters"]["Project"];
            };
            header?: {
                /** @description Who owns what is made, as it is numbered inside. Default 0. */
                "X-LXD-uid"?: components["parameters"]["FileOwner"];
                /** @description The group of what is made, as it is numbered inside. Default 0. */
                "X-LXD-gid"?: components["parameters"]["FileGroup"];
                /** @description The mode of what is made, octal with a zero in front, else decimal. Default 0644, for directories 0750. */
                "X-LXD-mode"?: components["parameters"]["FileMode"];
                /** @description What is made. Default file. */
                "X-LXD-type"?: components["parameters"]["FileType"];
                /** @description Whether the content replaces what is there, or goes behind it. A file to append to must be there. */
                "X-LXD-write"?: components["parameters"]["FileWrite"];
            };
            path: {
                /** @description Name of the instance. */
                name: components["parameters"]["InstanceName"];
            };
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/octet-stream": unknown;
            };
        };
        responses: {
            200: components["responses"]["Empty"];
            400: components["responses"]["BadRequest"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            409: components["responses"]["Conflict"];
            default: components["responses"]["Error"];
        };
    };
    instanceFilesDelete: {
        parameters: {
            query: {
                /** @description Path of the file, from the root of the instance. */
                path: components["parameters"]["FilePath"];
                /** @description Project to work in. */
                project?: components["parameters"]["Project"];
            };
            header?: never;
            path: {
                /** @description Name of the instance. */
                name: components["parameters"]["InstanceName"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: components["responses"]["Empty"];
            400: components["responses"]["BadRequest"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            default: components["responses"]["Error"];
        };
    };
    instanceFilesHead: {
        parameters: {
            query: {
                /** @description Path of the file, from the root of the instance. */
                path: components["parameters"]["FilePath"];
                /** @description Project to work in. */
                project?: components["parameters"]["Project"];
            };
            header?: never;
            path: {
                /** @description Name of the instance. */
                name: components["parameters"]["InstanceName"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description There is such a file; the headers tell of it. */
            200: {
                headers: {
                    "X-LXD-uid": components["headers"]["FileOwner"];
                    "X-LXD-gid": components["headers"]["FileGroup"];
                    "X-LXD-mode": components["headers"]["FileMode"];
                    "X-LXD-type": components["headers"]["FileType"];
                    "X-LXD-modified": components["headers"]["FileModified"];
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: components["responses"]["BadRequest"];
            404: components["responses"]["NotFound"];
            default: components["responses"]["Error"];
        };
    };
    instanceSftpGet: {
        parameters: {
            query?: {
                /** @description Project to work in. */
                project?: components["parameters"]["Project"];
            };
            header?: never;
            path: {
                /** @description Name of the instance. */
                name: components["parameters"]["InstanceName"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The connection is SFTP from now on. */
            101: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: components["responses"]["BadRequest"];
            404: components["responses"]["NotFound"];
            default: components["responses"]["Error"];
        };
    };
    instanceLogsGet: {
        parameters: {
            query?: {
                /** @description Project to work in. */
                project?: components["parameters"]["Project"];
            };
            header?: never;
            path: {
                /** @description Name of the instance. */
                name: components["parameters"]["InstanceName"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Paths of the files. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SyncResponse"] & {
                        metadata: components["schemas"]["Paths"];
                    };
                };
            };
            404: components["responses"]["NotFound"];
            default: components["responses"]["Error"];
        };
    };
    instanceLogGet: {
        parameters: {
            query?: {
                /** @description Project to work in. */
                project?: components["parameters"]["Project"];
            };
            header?: never;
            path: {
                /** @description Name of the instance. */
                name: components["parameters"]["InstanceName"];
                /** @description Name of the file. */
                file: components["parameters"]["LogFile"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: components["responses"]["File"];
            400: components["responses"]["BadRequest"];
            404: components["responses"]["NotFound"];
            default: components["responses"]["Error"];
        };
    };
    instanceLogDelete: {
        parameters: {
            query?: {
                /** @description Project to work in. */
                project?: components["parameters"]["Project"];
            };
            header?: never;
            path: {
                /** @description Name of the instance. */
                name: components["parameters"]["InstanceName"];
                /** @description Name of the file. */
                file: components["parameters"]["LogFile"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: components["responses"]["Empty"];
            400: components["responses"]["BadRequest"];
            404: components["responses"]["NotFound"];
            default: components["responses"]["Error"];
        };
    };
    instanceRebuildPost: {
        parameters: {
            query?: {
                /** @description Project to work in. */
                project?: components["parameters"]["Project"];
            };
            header?: never;
            path: {
                /** @description Name of the instance. */
                name: components["parameters"]["InstanceName"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["InstanceRebuildPost"];
            };
        };
        responses: {
            202: components["responses"]["Operation"];
            400: components["responses"]["BadRequest"];
            404: components["responses"]["NotFound"];
            default: components["responses"]["Error"];
        };
    };
    instanceMetadataGet: {
        parameters: {
            query?: {
                /** @description Project to work in. */
                project?: components["parameters"]["Project"];
            };
            header?: never;
            path: {
                /** @description Name of the instance. */
                name: components["parameters"]["InstanceName"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The metadata. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SyncResponse"] & {
                        metadata: components["schemas"]["InstanceMetadata"];
                    };
                };
            };
            404: components["responses"]["NotFound"];
            default: components["responses"]["Error"];
        };
    };
    instanceMetadataPut: {
        parameters: {
            query?: {
                /** @description Project to work in. */
                project?: components["parameters"]["Project"];
            };
            header?: never;
            path: {
                /** @description Name of the instance. */
                name: components["parameters"]["InstanceName"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["InstanceMetadataPut"];
            };
        };
        responses: {
            200: components["responses"]["Empty"];
            400: components["responses"]["BadRequest"];
            404: components["responses"]["NotFound"];
            default: components["responses"]["Error"];
        };
    };
    instanceMetadataPatch: {
        parameters: {
            query?: {
                /** @description Project to work in. */
                project?: components["parameters"]["Project"];
            };
            header?: never;
            path: {
                /** @description Name of the instance. */
                name: components["parameters"]["InstanceName"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["InstanceMetadataPut"];
            };
        };
        responses: {
            200: components["responses"]["Empty"];
            400: components["responses"]["BadRequest"];
            404: components["responses"]["NotFound"];
            412: components["responses"]["PreconditionFailed"];
            default: components["responses"]["Error"];
        };
    };
    instanceTemplatesGet: {
        parameters: {
            query?: {
                /** @description Project to work in. */
                project?: components["parameters"]["Project"];
                /** @description Name of the template's file. */
                path?: components["parameters"]["TemplateName"];
            };
            header?: never;
            path: {
                /** @description Name of the instance. */
                name: components["parameters"]["InstanceName"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Names of the templates, or one’s content. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SyncResponse"] & {
                        metadata: string[];
                    };
                    "application/octet-stream": unknown;
                };
            };
            404: components["responses"]["NotFound"];
            default: components["responses"]["Error"];
        };
    };
    instanceTemplatesPost: {
        parameters: {
            query?: {
                /** @description Project to work in. */
                project?: components["parameters"]["Project"];
                /** @description Name of the template's file. */
                path?: components["parameters"]["TemplateName"];
            };
            header?: never;
            path: {
                /** @description Name of the instance. */
                name: components["parameters"]["InstanceName"];
            };
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/octet-stream": unknown;
            };
        };
        responses: {
            200: components["responses"]["Empty"];
            400: components["responses"]["BadRequest"];
            404: components["responses"]["NotFound"];
            default: components["responses"]["Error"];
        };
    };
    instanceTemplatesDelete: {
        parameters: {
            query?: {
                /** @description Project to work in. */
                project?: components["parameters"]["Project"];
                /** @description Name of the template's file. */
                path?: components["parameters"]["TemplateName"];
            };
            header?: never;
            path: {
                /** @description Name of the instance. */
                name: components["parameters"]["InstanceName"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: components["responses"]["Empty"];
            400: components["responses"]["BadRequest"];
            404: components["responses"]["NotFound"];
            default: components["responses"]["Error"];
        };
    };
    instanceSnapshotsGet: {
        parameters: {
            query?: {
                /** @description Project to work in. */
                project?: components["parameters"]["Project"];
                /** @description 0 for paths, 1 for objects; more where it says so. */
                recursion?: components["parameters"]["Recursion"];
            };
            header?: never;
            path: {
                /** @description Name of the instance. */
                name: components["parameters"]["InstanceName"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The snapshots. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SyncResponse"] & {
                        metadata: components["schemas"]["Paths"] | components["schemas"]["InstanceSnapshot"][];
                    };
                };
            };
            404: components["responses"]["NotFound"];
            default: components["responses"]["Error"];
        };
    };
    instanceSnapshotsPost: {
        parameters: {
            query?: {
                /** @description Project to work in. */
                project?: components["parameters"]["Project"];
            };
            header?: never;
            path: {
                /** @description Name of the instance. */
                name: components["parameters"]["InstanceName"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["InstanceSnapshotsPost"];
            };
        };
        responses: {
            202: components["responses"]["Operation"];
            400: components["responses"]["BadRequest"];
            404: components["responses"]["NotFound"];
            413: components["responses"]["TooLarge"];
            default: components["responses"]["Error"];
        };
    };
    instanceSnapshotGet: {
        parameters: {
            query?: {
                /** @description Project to work in. */
                project?: components["parameters"]["Project"];
            };
            header?: never;
            path: {
                /** @description Name of the instance. */
                name: components["parameters"]["InstanceName"];
                /** @description Name of the snapshot. */
                snapshot: components["parameters"]["SnapshotName"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The snapshot. */
            200: {
                headers: {
                    ETag: components["headers"]["ETag"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SyncResponse"] & {
                        metadata: components["schemas"]["InstanceSnapshot"];
                    };
                };
            };
            404: components["responses"]["NotFound"];
            default: components["responses"]["Error"];
        };
    };
    instanceSnapshotPut: {
        parameters: {
            query?: {
                /** @description Project to work in. */
                project?: components["parameters"]["Project"];
            };
            header?: {
                /** @description Refuse the change when the ETag is another by now. */
                "If-Match"?: components["parameters"]["IfMatch"];
            };
            path: {
                /** @description Name of the instance. */
                name: components["parameters"]["InstanceName"];
                /** @description Name of the snapshot. */
                snapshot: components["parameters"]["SnapshotName"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["InstanceSnapshotPut"];
            };
        };
        responses: {
            202: components["responses"]["Operation"];
            400: components["responses"]["BadRequest"];
            404: components["responses"]["NotFound"];
            412: components["responses"]["PreconditionFailed"];
            413: components["responses"]["TooLarge"];
            default: components["responses"]["Error"];
        };
    };
    instanceSnapshotPost: {
        parameters: {
            query?: {
                /** @description Project to work in. */
                project?: components["parameters"]["Project"];
            };
            header?: never;
            path: {
                /** @description Name of the instance. */
                name: components["parameters"]["InstanceName"];
                /** @description Name of the snapshot. */
                snapshot: components["parameters"]["SnapshotName"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["InstanceSnapshotPost"];
            };
        };
        responses: {
            202: components["responses"]["Operation"];
            400: components["responses"]["BadRequest"];
            404: components["responses"]["NotFound"];
            409: components["responses"]["Conflict"];
            413: components["responses"]["TooLarge"];
            default: components["responses"]["Error"];
        };
    };
    instanceSnapshotDelete: {
        parameters: {
            query?: {
                /** @description Project to work in. */
                project?: components["parameters"]["Project"];
            };
            header?: never;
            path: {
                /** @description Name of the instance. */
                name: components["parameters"]["InstanceName"];
                /** @description Name of the snapshot. */
                snapshot: components["parameters"]["SnapshotName"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            202: components["responses"]["Operation"];
            404: components["responses"]["NotFound"];
            default: components["responses"]["Error"];
        };
    };
    instanceSnapshotPatch: {
        parameters: {
            query?: {
                /** @description Project to work in. */
                project?: components["parameters"]["Project"];
            };
            header?: {
                /** @description Refuse the change when the ETag is another by now. */
                "If-Match"?: components["parameters"]["IfMatch"];
            };
            path: {
                /** @description Name of the instance. */
                name: components["parameters"]["InstanceName"];
                /** @description Name of the snapshot. */
                snapshot: components["parameters"]["SnapshotName"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["InstanceSnapshotPut"];
            };
        };
        responses: {
            202: components["responses"]["Operation"];
            400: components["responses"]["BadRequest"];
            404: components["responses"]["NotFound"];
            412: components["responses"]["PreconditionFailed"];
            413: components["responses"]["TooLarge"];
            default: components["responses"]["Error"];
        };
    };
    instanceBackupsGet: {
        parameters: {
            query?: {
                /** @description Project to work in. */
                project?: components["parameters"]["Project"];
                /** @description 0 for paths, 1 for objects; more where it says so. */
                recursion?: components["parameters"]["Recursion"];
            };
            header?: never;
            path: {
                /** @description Name of the instance. */
                name: components["parameters"]["InstanceName"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The backups. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SyncResponse"] & {
                        metadata: components["schemas"]["Paths"] | components["schemas"]["InstanceBackup"][];
                    };
                };
            };
            404: components["responses"]["NotFound"];
            default: components["responses"]["Error"];
        };
    };
    instanceBackupsPost: {
        parameters: {
            query?: {
                /** @description Project to work in. */
                project?: components["parameters"]["Project"];
            };
            header?: never;
            path: {
                /** @description Name of the instance. */
                name: components["parameters"]["InstanceName"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["InstanceBackupsPost"];
            };
        };
        responses: {
            202: components["responses"]["Operation"];
            400: components["responses"]["BadRequest"];
            404: components["responses"]["NotFound"];
            413: components["responses"]["TooLarge"];
            default: components["responses"]["Error"];
        };
    };
    instanceBackupGet: {
        parameters: {
            query?: {
                /** @description Project to work in. */
                project?: components["parameters"]["Project"];
            };
            header?: never;
            path: {
                /** @description Name of the instance. */
                name: components["parameters"]["InstanceName"];
                /** @description Name of the backup. */
                backup: components["parameters"]["BackupPath"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The backup. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SyncResponse"] & {
                        metadata: components["schemas"]["InstanceBackup"];
                    };
                };
            };
            404: components["responses"]["NotFound"];
            default: components["responses"]["Error"];
        };
    };
    instanceBackupPost: {
        parameters: {
            query?: {
                /** @description Project to work in. */
                project?: components["parameters"]["Project"];
            };
            header?: never;
            path: {
                /** @description Name of the instance. */
                name: components["parameters"]["InstanceName"];
                /** @description Name of the backup. */
                backup: components["parameters"]["BackupPath"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["InstanceBackupPost"];
            };
        };
        responses: {
            202: components["responses"]["Operation"];
            400: components["responses"]["BadRequest"];
            404: components["responses"]["NotFound"];
            413: components["responses"]["TooLarge"];
            default: components["responses"]["Error"];
        };
    };
    instanceBackupDelete: {
        parameters: {
            query?: {
                /** @description Project to work in. */
                project?: components["parameters"]["Project"];
            };
            header?: never;
            path: {
                /** @description Name of the instance. */
                name: components["parameters"]["InstanceName"];
                /** @description Name of the backup. */
                backup: components["parameters"]["BackupPath"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            202: components["responses"]["Operation"];
            404: components["responses"]["NotFound"];
            default: components["responses"]["Error"];
        };
    };
    instanceBackupExportGet: {
        parameters: {
            query?: {
                /** @description Project to work in. */
                project?: components["parameters"]["Project"];
            };
            header?: never;
            path: {
                /** @description Name of the instance. */
                name: components["parameters"]["InstanceName"];
                /** @description Name of the backup. */
                backup: components["parameters"]["BackupPath"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: components["responses"]["File"];
            404: components["responses"]["NotFound"];
            default: components["responses"]["Error"];
        };
    };
    imagesGet: {
        parameters: {
            query?: {
                /** @description Project to work in. */
                project?: components["parameters"]["Project"];
                /** @description 0 for paths, 1 for objects; more where it says so. */
                recursion?: components["parameters"]["Recursion"];
                /** @description Only what matches, such as `status eq Running and config.user.owner ne me`. */
                filter?: components["parameters"]["Filter"];
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The images. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SyncResponse"] & {
                        metadata: components["schemas"]["Paths"] | components["schemas"]["Image"][];
                    };
                };
            };
            400: components["responses"]["BadRequest"];
            default: components["responses"]["Error"];
        };
    };
    imagesPost: {
        parameters: {
            query?: {
                /** @description Project to work in. */
                project?: components["parameters"]["Project"];
            };
            header?: {
                /** @description SHA-256 the upload must have. */
                "X-LXD-fingerprint"?: components["parameters"]["ImageFingerprintHeader"];
                /** @description What another server sends instead of a certificate that is trusted. */
                "X-LXD-secret"?: components["parameters"]["ImageSecret"];
                /** @description Name to give to the file. */
                "X-LXD-filename"?: components["parameters"]["ImageFilename"];
                /** @description `1` or `true` for a public image. */
                "X-LXD-public"?: components["parameters"]["ImagePublic"];
                /** @description Properties to add, encoded like a query. */
                "X-LXD-properties"?: components["parameters"]["ImageProperties"];
                /** @description Profiles of instances made from it, encoded like a query. */
                "X-LXD-profiles"?: components["parameters"]["ImageProfiles"];
                /** @description Aliases to add, encoded like a query. */
                "X-LXD-aliases"?: components["parameters"]["ImageAliases"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/octet-stream": unknown;
                "multipart/form-data": components["schemas"]["ImagesPostSplit"];
                "application/json": components["schemas"]["ImagesPost"];
            };
        };
        responses: {
            202: components["responses"]["Operation"];
            400: components["responses"]["BadRequest"];
            409: components["responses"]["Conflict"];
            default: components["responses"]["Error"];
        };
    };
    imageGet: {
        parameters: {
            query?: {
                /** @description Project to work in. */
                project?: components["parameters"]["Project"];
            };
            header?: never;
            path: {
                /** @description SHA-256 of the image, or the first characters of it. */
                fingerprint: components["parameters"]["Fingerprint"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The image. */
            200: {
                headers: {
                    ETag: components["headers"]["ETag"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SyncResponse"] & {
                        metadata: components["schemas"]["Image"];
                    };
                };
            };
            404: components["responses"]["NotFound"];
            default: components["responses"]["Error"];
        };
    };
    imagePut: {
        parameters: {
            query?: {
                /** @description Project to work in. */
                project?: components["parameters"]["Project"];
            };
            header?: {
                /** @description Refuse the change when the ETag is another by now. */
                "If-Match"?: components["parameters"]["IfMatch"];
            };
            path: {
                /** @description SHA-256 of the image, or the first characters of it. */
                fingerprint: components["parameters"]["Fingerprint"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ImagePut"];
            };
        };
        responses: {
            200: components["responses"]["Empty"];
            400: components["responses"]["BadRequest"];
            404: components["responses"]["NotFound"];
            412: components["responses"]["PreconditionFailed"];
            default: components["responses"]["Error"];
        };
    };
    imageDelete: {
        parameters: {
            query?: {
                /** @description Project to work in. */
                project?: components["parameters"]["Project"];
            };
            header?: never;
            path: {
                /** @description SHA-256 of the image, or the first characters of it. */
                fingerprint: components["parameters"]["Fingerprint"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            202: components["responses"]["Operation"];
            404: components["responses"]["NotFound"];
            default: components["responses"]["Error"];
        };
    };
    imagePatch: {
        parameters: {
            query?: {
                /** @description Project to work in. */
                project?: components["parameters"]["Project"];
            };
            header?: {
                /** @description Refuse the change when the ETag is another by now. */
                "If-Match"?: components["parameters"]["IfMatch"];
            };
            path: {
                /** @description SHA-256 of the image, or the first characters of it. */
                fingerprint: components["parameters"]["Fingerprint"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ImagePut"];
            };
        };
        responses: {
            200: components["responses"]["Empty"];
            400: components["responses"]["BadRequest"];
            404: components["responses"]["NotFound"];
            412: components["responses"]["PreconditionFailed"];
            default: components["responses"]["Error"];
        };
    };
    imageExportGet: {
        parameters: {
            query?: {
                /** @description Project to work in. */
                project?: components["parameters"]["Project"];
            };
            header?: never;
            path: {
                /** @description SHA-256 of the image, or the first characters of it. */
                fingerprint: components["parameters"]["Fingerprint"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The files. */
            200: {
                headers: {
                    "Content-Disposition": components["headers"]["ContentDisposition"];
                    [name: string]: unknown;
                };
                content: {
                    "application/octet-stream": unknown;
                    "multipart/form-data": components["schemas"]["ImagesPostSplit"];
                };
            };
            404: components["responses"]["NotFound"];
            default: components["responses"]["Error"];
        };
    };
    imageExportPost: {
        parameters: {
            query?: {
                /** @description Project to work in. */
                project?: components["parameters"]["Project"];
            };
            header?: never;
            path: {
                /** @description SHA-256 of the image, or the first characters of it. */
                fingerprint: components["parameters"]["Fingerprint"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ImageExportPost"];
            };
        };
        responses: {
            202: components["responses"]["Operation"];
            400: components["responses"]["BadRequest"];
            404: components["responses"]["NotFound"];
            413: components["responses"]["TooLarge"];
            default: components["responses"]["Error"];
        };
    };
    imageSecretPost: {
        parameters: {
            query?: {
                /** @description Project to work in. */
                project?: components["parameters"]["Project"];
            };
            header?: never;
            path: {
                /** @description SHA-256 of the image, or the first characters of it. */
                fingerprint: components["parameters"]["Fingerprint"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            202: components["responses"]["Operation"];
            404: components["responses"]["NotFound"];
            default: components["responses"]["Error"];
        };
    };
    imageRefreshPost: {
        parameters: {
            query?: {
                /** @description Project to work in. */
                project?: components["parameters"]["Project"];
            };
            header?: never;
            path: {
                /** @description SHA-256 of the image, or the first characters of it. */
                fingerprint: components["parameters"]["Fingerprint"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            202: components["responses"]["Operation"];
            404: components["responses"]["NotFound"];
            default: components["responses"]["Error"];
        };
    };
    imageAliasesGet: {
        parameters: {
            query?: {
                /** @description Project to work in. */
                project?: components["parameters"]["Project"];
                /** @description 0 for paths, 1 for objects; more where it says so. */
                recursion?: components["parameters"]["Recursion"];
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The aliases. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SyncResponse"] & {
                        metadata: components["schemas"]["Paths"] | components["schemas"]["ImageAliasesEntry"][];
                    };
                };
            };
            default: components["responses"]["Error"];
        };
    };
    imageAliasesPost: {
        parameters: {
            query?: {
                /** @description Project to work in. */
                project?: components["parameters"]["Project"];
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ImageAliasesPost"];
            };
        };
        responses: {
            201: components["responses"]["Created"];
            400: components["responses"]["BadRequest"];
            404: components["responses"]["NotFound"];
            409: components["responses"]["Conflict"];
            default: components["responses"]["Error"];
        };
    };
    imageAliasGet: {
        parameters: {
            query?: {
                /** @description Project to work in. */
                project?: components["parameters"]["Project"];
            };
            header?: never;
            path: {
                /** @description Name of the alias. */
                name: components["parameters"]["AliasName"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The alias. */
            200: {
                headers: {
                    ETag: components["headers"]["ETag"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SyncResponse"] & {
                        metadata: components["schemas"]["ImageAliasesEntry"];
                    };
                };
            };
            404: components["responses"]["NotFound"];
            default: components["responses"]["Error"];
        };
    };
    imageAliasPut: {
        parameters: {
            query?: {
                /** @description Project to work in. */
                project?: components["parameters"]["Project"];
            };
            header?: {
                /** @description Refuse the change when the ETag is another by now. */
                "If-Match"?: components["parameters"]["IfMatch"];
            };
            path: {
                /** @description Name of the alias. */
                name: components["parameters"]["AliasName"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ImageAliasesEntryPut"];
            };
        };
        responses: {
            200: components["responses"]["Empty"];
            400: components["responses"]["BadRequest"];
            404: components["responses"]["NotFound"];
            412: components["responses"]["PreconditionFailed"];
            default: components["responses"]["Error"];
        };
    };
    imageAliasPost: {
        parameters: {
            query?: {
                /** @description Project to work in. */
                project?: components["parameters"]["Project"];
            };
            header?: never;
            path: {
                /** @description Name of the alias. */
                name: components["parameters"]["AliasName"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ImageAliasesEntryPost"];
            };
        };
        responses: {
            201: components["responses"]["Created"];
            400: components["responses"]["BadRequest"];
            404: components["responses"]["NotFound"];
            409: components["responses"]["Conflict"];
            default: components["responses"]["Error"];
        };
    };
    imageAliasDelete: {
        parameters: {
            query?: {
                /** @description Project to work in. */
                project?: components["parameters"]["Project"];
            };
            header?: never;
            path: {
                /** @description Name of the alias. */
                name: components["parameters"]["AliasName"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: components["responses"]["Empty"];
            404: components["responses"]["NotFound"];
            default: components["responses"]["Error"];
        };
    };
    imageAliasPatch: {
        parameters: {
            query?: {
                /** @description Project to work in. */
                project?: components["parameters"]["Project"];
            };
            header?: {
                /** @description Refuse the change when the ETag is another by now. */
                "If-Match"?: components["parameters"]["IfMatch"];
            };
            path: {
                /** @description Name of the alias. */
                name: components["parameters"]["AliasName"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ImageAliasesEntryPatch"];
            };
        };
        responses: {
            200: components["responses"]["Empty"];
            400: components["responses"]["BadRequest"];
            404: components["responses"]["NotFound"];
            412: components["responses"]["PreconditionFailed"];
            default: components["responses"]["Error"];
        };
    };
    profilesGet: {
        parameters: {
            query?: {
                /** @description Project to work in. */
                project?: components["parameters"]["Project"];
                /** @description 0 for paths, 1 for objects; more where it says so. */
                recursion?: components["parameters"]["Recursion"];
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The profiles. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SyncResponse"] & {
                        metadata: components["schemas"]["Paths"] | components["schemas"]["Profile"][];
                    };
                };
            };
            default: components["responses"]["Error"];
        };
    };
    profilesPost: {
        parameters: {
            query?: {
                /** @description Project to work in. */
                project?: components["parameters"]["Project"];
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ProfilesPost"];
            };
        };
        responses: {
            201: components["responses"]["Created"];
            400: components["responses"]["BadRequest"];
            409: components["responses"]["Conflict"];
            default: components["responses"]["Error"];
        };
    };
    profileGet: {
        parameters: {
            query?: {
                /** @description Project to work in. */
                project?: components["parameters"]["Project"];
            };
            header?: never;
            path: {
                /** @description Name of the profile. */
                name: components["parameters"]["ProfileName"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The profile. */
            200: {
                headers: {
                    ETag: components["headers"]["ETag"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SyncResponse"] & {
                        metadata: components["schemas"]["Profile"];
                    };
                };
            };
            404: components["responses"]["NotFound"];
            default: components["responses"]["Error"];
        };
    };
    profilePut: {
        parameters: {
            query?: {
                /** @description Project to work in. */
                project?: components["parameters"]["Project"];
            };
            header?: {
                /** @description Refuse the change when the ETag is another by now. */
                "If-Match"?: components["parameters"]["IfMatch"];
            };
            path: {
                /** @description Name of the profile. */
                name: components["parameters"]["ProfileName"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ProfilePut"];
            };
        };
        responses: {
            200: components["responses"]["Empty"];
            400: components["responses"]["BadRequest"];
            404: components["responses"]["NotFound"];
            412: components["responses"]["PreconditionFailed"];
            default: components["responses"]["Error"];
        };
    };
    profilePost: {
        parameters: {
            query?: {
                /** @description Project to work in. */
                project?: components["parameters"]["Project"];
            };
            header?: never;
            path: {
                /** @description Name of the profile. */
                name: components["parameters"]["ProfileName"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ProfilePost"];
            };
        };
        responses: {
            201: components["responses"]["Created"];
            400: components["responses"]["BadRequest"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            409: components["responses"]["Conflict"];
            default: components["responses"]["Error"];
        };
    };
    profileDelete: {
        parameters: {
            query?: {
                /** @description Project to work in. */
                project?: components["parameters"]["Project"];
            };
            header?: never;
            path: {
                /** @description Name of the profile. */
                name: components["parameters"]["ProfileName"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: components["responses"]["Empty"];
            400: components["responses"]["BadRequest"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            default: components["responses"]["Error"];
        };
    };
    profilePatch: {
        parameters: {
            query?: {
                /** @description Project to work in. */
                project?: components["parameters"]["Project"];
            };
            header?: {
                /** @description Refuse the change when the ETag is another by now. */
                "If-Match"?: components["parameters"]["IfMatch"];
            };
            path: {
                /** @description Name of the profile. */
                name: components["parameters"]["ProfileName"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ProfilePut"];
            };
        };
        responses: {
            200: components["responses"]["Empty"];
            400: components["responses"]["BadRequest"];
            404: components["responses"]["NotFound"];
            412: components["responses"]["PreconditionFailed"];
            default: components["responses"]["Error"];
        };
    };
    storagePoolsGet: {
        parameters: {
            query?: {
                /** @description Project to work in. */
                project?: components["parameters"]["Project"];
                /** @description 0 for paths, 1 for objects; more where it says so. */
                recursion?: components["parameters"]["Recursion"];
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The storage pools. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SyncResponse"] & {
                        metadata: components["schemas"]["Paths"] | components["schemas"]["StoragePool"][];
                    };
                };
            };
            default: components["responses"]["Error"];
        };
    };
    storagePoolsPost: {
        parameters: {
            query?: {
                /** @description Project to work in. */
                project?: components["parameters"]["Project"];
                /** @description Member of the cluster to ask or to use. */
                target?: components["parameters"]["Target"];
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["StoragePoolsPost"];
            };
        };
        responses: {
            201: components["responses"]["Created"];
            400: components["responses"]["BadRequest"];
            409: components["responses"]["Conflict"];
            default: components["responses"]["Error"];
        };
    };
    storagePoolGet: {
        parameters: {
            query?: {
                /** @description Project to work in. */
                project?: components["parameters"]["Project"];
                /** @description Member of the cluster to ask or to use. */
                target?: components["parameters"]["Target"];
            };
            header?: never;
            path: {
                /** @description Name of the storage pool. */
                name: components["parameters"]["PoolName"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The storage pool. */
            200: {
                headers: {
                    ETag: components["headers"]["ETag"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SyncResponse"] & {
                        metadata: components["schemas"]["StoragePool"];
                    };
                };
            };
            404: components["responses"]["NotFound"];
            default: components["responses"]["Error"];
        };
    };
    storagePoolPut: {
        parameters: {
            query?: {
                /** @description Project to work in. */
                project?: components["parameters"]["Project"];
                /** @description Member of the cluster to ask or to use. */
                target?: components["parameters"]["Target"];
            };
            header?: {
                /** @description Refuse the change when the ETag is another by now. */
                "If-Match"?: components["parameters"]["IfMatch"];
            };
            path: {
                /** @description Name of the storage pool. */
                name: components["parameters"]["PoolName"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["StoragePoolPut"];
            };
        };
        responses: {
            200: components["responses"]["Empty"];
            400: components["responses"]["BadRequest"];
            404: components["responses"]["NotFound"];
            412: components["responses"]["PreconditionFailed"];
            default: components["responses"]["Error"];
        };
    };
    storagePoolDelete: {
        parameters: {
            query?: {
                /** @description Project to work in. */
                project?: components["parameters"]["Project"];
            };
            header?: never;
            path: {
                /** @description Name of the storage pool. */
                name: components["parameters"]["PoolName"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: components["responses"]["Empty"];
            400: components["responses"]["BadRequest"];
            404: components["responses"]["NotFound"];
            default: components["responses"]["Error"];
        };
    };
    storagePoolPatch: {
        parameters: {
            query?: {
                /** @description Project to work in. */
                project?: components["parameters"]["Project"];
                /** @description Member of the cluster to ask or to use. */
                target?: components["parameters"]["Target"];
            };
            header?: {
                /** @description Refuse the change when the ETag is another by now. */
                "If-Match"?: components["parameters"]["IfMatch"];
            };
            path: {
                /** @description Name of the storage pool. */
                name: components["parameters"]["PoolName"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["StoragePoolPut"];
            };
        };
        responses: {
            200: components["responses"]["Empty"];
            400: components["responses"]["BadRequest"];
            404: components["responses"]["NotFound"];
            412: components["responses"]["PreconditionFailed"];
            default: components["responses"]["Error"];
        };
    };
    storagePoolResourcesGet: {
        parameters: {
            query?: {
                /** @description Member of the cluster to ask or to use. */
                target?: components["parameters"]["Target"];
            };
            header?: never;
            path: {
                /** @description Name of the storage pool. */
                name: components["parameters"]["PoolName"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Used and total space. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SyncResponse"] & {
                        metadata: components["schemas"]["ResourcesStoragePool"];
                    };
                };
            };
            404: components["responses"]["NotFound"];
            default: components["responses"]["Error"];
        };
    };
    storagePoolVolumesGet: {
        parameters: {
            query?: {
                /** @description Project to work in. */
                project?: components["parameters"]["Project"];
                /** @description Member of the cluster to ask or to use. */
                target?: components["parameters"]["Target"];
                /** @description 0 for paths, 1 for objects; more where it says so. */
                recursion?: components["parameters"]["Recursion"];
                /** @description Only what matches, such as `status eq Running and config.user.owner ne me`. */
                filter?: components["parameters"]["Filter"];
            };
            header?: never;
            path: {
                /** @description Name of the storage pool. */
                name: components["parameters"]["PoolName"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The volumes. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SyncResponse"] & {
                        metadata: components["schemas"]["Paths"] | components["schemas"]["StorageVolume"][];
                    };
                };
            };
            400: components["responses"]["BadRequest"];
            404: components["responses"]["NotFound"];
            default: components["responses"]["Error"];
        };
    };
    storagePoolVolumesPost: {
        parameters: {
            query?: {
                /** @description Project to work in. */
                project?: components["parameters"]["Project"];
                /** @description Member of the cluster to ask or to use. */
                target?: components["parameters"]["Target"];
            };
            header?: never;
            path: {
                /** @description Name of the storage pool. */
                name: components["parameters"]["PoolName"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["StorageVolumesPost"];
            };
        };
        responses: {
            200: components["responses"]["Empty"];
            202: components["responses"]["Operation"];
            400: components["responses"]["BadRequest"];
            404: components["responses"]["NotFound"];
            409: components["responses"]["Conflict"];
            413: components["responses"]["TooLarge"];
            default: components["responses"]["Error"];
        };
    };
    storagePoolVolumesTypeGet: {
        parameters: {
            query?: {
                /** @description Project to work in. */
                project?: components["parameters"]["Project"];
                /** @description Member of the cluster to ask or to use. */
                target?: components["parameters"]["Target"];
                /** @description 0 for paths, 1 for objects; more where it says so. */
                recursion?: components["parameters"]["Recursion"];
                /** @description Only what matches, such as `status eq Running and config.user.owner ne me`. */
                filter?: components["parameters"]["Filter"];
            };
            header?: never;
            path: {
                /** @description Name of the storage pool. */
                name: components["parameters"]["PoolName"];
                /** @description Type of the volumes. */
                type: components["parameters"]["VolumeType"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The volumes. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SyncResponse"] & {
                        metadata: components["schemas"]["Paths"] | components["schemas"]["StorageVolume"][];
                    };
                };
            };
            400: components["responses"]["BadRequest"];
            404: components["responses"]["NotFound"];
            default: components["responses"]["Error"];
        };
    };
    storagePoolVolumesTypePost: {
        parameters: {
            query?: {
                /** @description Project to work in. */
                project?: components["parameters"]["Project"];
                /** @description Member of the cluster to ask or to use. */
                target?: components["parameters"]["Target"];
            };
            header?: {
                /** @description Of a backup: the name of the instance, or volume, instead of the one it had. */
                "X-LXD-name"?: components["parameters"]["BackupName"];
            };
            path: {
                /** @description Name of the storage pool. */
                name: components["parameters"]["PoolName"];
                /** @description Type of the volumes. */
                type: components["parameters"]["VolumeType"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["StorageVolumesPost"];
                "application/octet-stream": unknown;
            };
        };
        responses: {
            200: components["responses"]["Empty"];
            202: components["responses"]["Operation"];
            400: components["responses"]["BadRequest"];
            404: components["responses"]["NotFound"];
            409: components["responses"]["Conflict"];
            413: components["responses"]["TooLarge"];
            default: components["responses"]["Error"];
        };
    };
    storagePoolVolumeGet: {
        parameters: {
            query?: {
                /** @description Project to work in. */
                project?: components["parameters"]["Project"];
                /** @description Member of the cluster to ask or to use. */
                target?: components["parameters"]["Target"];
            };
            header?: never;
            path: {
                /** @description Name of the storage pool. */
                name: components["parameters"]["PoolName"];
                /** @description Type of the volumes. */
                type: components["parameters"]["VolumeType"];
                /** @description Name of the volume. */
                volume: components["parameters"]["VolumeName"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The volume. */
            200: {
                headers: {
                    ETag: components["headers"]["ETag"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SyncResponse"] & {
                        metadata: components["schemas"]["StorageVolume"];
                    };
                };
            };
            400: components["responses"]["BadRequest"];
            404: components["responses"]["NotFound"];
            default: components["responses"]["Error"];
        };
    };
    storagePoolVolumePut: {
        parameters: {
            query?: {
                /** @description Project to work in. */
                project?: components["parameters"]["Project"];
                /** @description Member of the cluster to ask or to use. */
                target?: components["parameters"]["Target"];
            };
            header?: {
                /** @description Refuse the change when the ETag is another by now. */
                "If-Match"?: components["parameters"]["IfMatch"];
            };
            path: {
                /** @description Name of the storage pool. */
                name: components["parameters"]["PoolName"];
                /** @description Type of the volumes. */
                type: components["parameters"]["VolumeType"];
                /** @description Name of the volume. */
                volume: components["parameters"]["VolumeName"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["StorageVolumePut"];
            };
        };
        responses: {
            200: components["responses"]["Empty"];
            400: components["responses"]["BadRequest"];
            404: components["responses"]["NotFound"];
            409: components["responses"]["Conflict"];
            412: components["responses"]["PreconditionFailed"];
            413: components["responses"]["TooLarge"];
            default: components["responses"]["Error"];
        };
    };
    storagePoolVolumePost: {
        parameters: {
            query?: {
                /** @description Project to work in. */
                project?: components["parameters"]["Project"];
                /** @description Member of the cluster to ask or to use. */
                target?: components["parameters"]["Target"];
            };
            header?: never;
            path: {
                /** @description Name of the storage pool. */
                name: components["parameters"]["PoolName"];
                /** @description Type of the volumes. */
                type: components["parameters"]["VolumeType"];
                /** @description Name of the volume. */
                volume: components["parameters"]["VolumeName"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["StorageVolumePost"];
            };
        };
        responses: {
            201: components["responses"]["Created"];
            202: components["responses"]["Operation"];
            400: components["responses"]["BadRequest"];
            404: components["responses"]["NotFound"];
            409: components["responses"]["Conflict"];
            413: components["responses"]["TooLarge"];
            default: components["responses"]["Error"];
        };
    };
    storagePoolVolumeDelete: {
        parameters: {
            query?: {
                /** @description Project to work in. */
                project?: components["parameters"]["Project"];
                /** @description Member of the cluster to ask or to use. */
                target?: components["parameters"]["Target"];
            };
            header?: never;
            path: {
                /** @description Name of the storage pool. */
                name: components["parameters"]["PoolName"];
                /** @description Type of the volumes. */
                type: components["parameters"]["VolumeType"];
                /** @description Name of the volume. */
                volume: components["parameters"]["VolumeName"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: components["responses"]["Empty"];
            400: components["responses"]["BadRequest"];
            404: components["responses"]["NotFound"];
            409: components["responses"]["Conflict"];
            default: components["responses"]["Error"];
        };
    };
    storagePoolVolumePatch: {
        parameters: {
            query?: {
                /** @description Project to work in. */
                project?: components["parameters"]["Project"];
                /** @description Member of the cluster to ask or to use. */
                target?: components["parameters"]["Target"];
            };
            header?: {
                /** @description Refuse the change when the ETag is another by now. */
                "If-Match"?: components["parameters"]["IfMatch"];
            };
            path: {
                /** @description Name of the storage pool. */
                name: components["parameters"]["PoolName"];
                /** @description Type of the volumes. */
                type: components["parameters"]["VolumeType"];
                /** @description Name of the volume. */
                volume: components["parameters"]["VolumeName"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["StorageVolumePut"];
            };
        };
        responses: {
            200: components["responses"]["Empty"];
            400: components["responses"]["BadRequest"];
            404: components["responses"]["NotFound"];
            409: components["responses"]["Conflict"];
            412: components["responses"]["PreconditionFailed"];
            413: components["responses"]["TooLarge"];
            default: components["responses"]["Error"];
        };
    };
    storagePoolVolumeStateGet: {
        parameters: {
            query?: {
                /** @description Project to work in. */
                project?: components["parameters"]["Project"];
                /** @description Member of the cluster to ask or to use. */
                target?: components["parameters"]["Target"];
            };
            header?: never;
            path: {
                /** @description Name of the storage pool. */
                name: components["parameters"]["PoolName"];
                /** @description Type of the volumes. */
                type: components["parameters"]["VolumeType"];
                /** @description Name of the volume. */
                volume: components["parameters"]["VolumeName"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description What it uses. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SyncResponse"] & {
                        metadata: components["schemas"]["StorageVolumeState"];
                    };
                };
            };
            400: components["responses"]["BadRequest"];
            404: components["responses"]["NotFound"];
            default: components["responses"]["Error"];
        };
    };
    storagePoolVolumeBackupsGet: {
        parameters: {
            query?: {
                /** @description Project to work in. */
                project?: components["parameters"]["Project"];
                /** @description Member of the cluster to ask or to use. */
                target?: components["parameters"]["Target"];
                /** @description 0 for paths, 1 for objects; more where it says so. */
                recursion?: components["parameters"]["Recursion"];
            };
            header?: never;
            path: {
                /** @description Name of the storage pool. */
                name: components["parameters"]["PoolName"];
                /** @description Type of the volumes. */
                type: components["parameters"]["VolumeType"];
                /** @description Name of the volume. */
                volume: components["parameters"]["VolumeName"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The backups. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SyncResponse"] & {
                        metadata: components["schemas"]["Paths"] | components["schemas"]["StorageVolumeBackup"][];
                    };
                };
            };
            400: components["responses"]["BadRequest"];
            404: components["responses"]["NotFound"];
            default: components["responses"]["Error"];
        };
    };
    storagePoolVolumeBackupsPost: {
        parameters: {
            query?: {
                /** @description Project to work in. */
                project?: components["parameters"]["Project"];
                /** @description Member of the cluster to ask or to use. */
                target?: components["parameters"]["Target"];
            };
            header?: never;
            path: {
                /** @description Name of the storage pool. */
                name: components["parameters"]["PoolName"];
                /** @description Type of the volumes. */
                type: components["parameters"]["VolumeType"];
                /** @description Name of the volume. */
                volume: components["parameters"]["VolumeName"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["StorageVolumeBackupsPost"];
            };
        };
        responses: {
            202: components["responses"]["Operation"];
            400: components["responses"]["BadRequest"];
            404: components["responses"]["NotFound"];
            413: components["responses"]["TooLarge"];
            default: components["responses"]["Error"];
        };
    };
    storagePoolVolumeBackupGet: {
        parameters: {
            query?: {
                /** @description Project to work in. */
                project?: components["parameters"]["Project"];
                /** @description Member of the cluster to ask or to use. */
                target?: components["parameters"]["Target"];
            };
            header?: never;
            path: {
                /** @description Name of the storage pool. */
                name: components["parameters"]["PoolName"];
                /** @description Type of the volumes. */
                type: components["parameters"]["VolumeType"];
                /** @description Name of the volume. */
                volume: components["parameters"]["VolumeName"];
                /** @description Name of the backup. */
                backup: components["parameters"]["BackupPath"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The backup. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SyncResponse"] & {
                        metadata: components["schemas"]["StorageVolumeBackup"];
                    };
                };
            };
            400: components["responses"]["BadRequest"];
            404: components["responses"]["NotFound"];
            default: components["responses"]["Error"];
        };
    };
    storagePoolVolumeBackupPost: {
        parameters: {
            query?: {
                /** @description Project to work in. */
                project?: components["parameters"]["Project"];
                /** @description Member of the cluster to ask or to use. */
                target?: components["parameters"]["Target"];
            };
            header?: never;
            path: {
                /** @description Name of the storage pool. */
                name: components["parameters"]["PoolName"];
                /** @description Type of the volumes. */
                type: components["parameters"]["VolumeType"];
                /** @description Name of the volume. */
                volume: components["parameters"]["VolumeName"];
                /** @description Name of the backup. */
                backup: components["parameters"]["BackupPath"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["InstanceBackupPost"];
            };
        };
        responses: {
            202: components["responses"]["Operation"];
            400: components["responses"]["BadRequest"];
            404: components["responses"]["NotFound"];
            413: components["responses"]["TooLarge"];
            default: components["responses"]["Error"];
        };
    };
    storagePoolVolumeBackupDelete: {
        parameters: {
            query?: {
                /** @description Project to work in. */
                project?: components["parameters"]["Project"];
                /** @description Member of the cluster to ask or to use. */
                target?: components["parameters"]["Target"];
            };
            header?: never;
            path: {
                /** @description Name of the storage pool. */
                name: components["parameters"]["PoolName"];
                /** @description Type of the volumes. */
                type: components["parameters"]["VolumeType"];
                /** @description Name of the volume. */
                volume: components["parameters"]["VolumeName"];
                /** @description Name of the backup. */
                backup: components["parameters"]["BackupPath"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            202: components["responses"]["Operation"];
            400: components["responses"]["BadRequest"];
            404: components["responses"]["NotFound"];
            default: components["responses"]["Error"];
        };
    };
    storagePoolVolumeBackupExportGet: {
        parameters: {
            query?: {
                /** @description Project to work in. */
                project?: components["parameters"]["Project"];
                /** @description Member of the cluster to ask or to use. */
                target?: components["parameters"]["Target"];
            };
            header?: never;
            path: {
                /** @description Name of the storage pool. */
                name: components["parameters"]["PoolName"];
                /** @description Type of the volumes. */
                type: components["parameters"]["VolumeType"];
                /** @description Name of the volume. */
                volume: components["parameters"]["VolumeName"];
                /** @description Name of the backup. */
                backup: components["parameters"]["BackupPath"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: components["responses"]["File"];
            400: components["responses"]["BadRequest"];
            404: components["responses"]["NotFound"];
            default: components["responses"]["Error"];
        };
    };
    storagePoolVolumeSnapshotsGet: {
        parameters: {
            query?: {
                /** @description Project to work in. */
                project?: components["parameters"]["Project"];
                /** @description Member of the cluster to ask or to use. */
                target?: components["parameters"]["Target"];
                /** @description 0 for paths, 1 for objects; more where it says so. */
                recursion?: components["parameters"]["Recursion"];
            };
            header?: never;
            path: {
                /** @description Name of the storage pool. */
                name: components["parameters"]["PoolName"];
                /** @description Type of the volumes. */
                type: components["parameters"]["VolumeType"];
                /** @description Name of the volume. */
                volume: components["parameters"]["VolumeName"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The snapshots, oldest first. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SyncResponse"] & {
                        metadata: components["schemas"]["Paths"] | components["schemas"]["StorageVolumeSnapshot"][];
                    };
                };
            };
            400: components["responses"]["BadRequest"];
            404: components["responses"]["NotFound"];
            default: components["responses"]["Error"];
        };
    };
    storagePoolVolumeSnapshotsPost: {
        parameters: {
            query?: {
                /** @description Project to work in. */
                project?: components["parameters"]["Project"];
                /** @description Member of the cluster to ask or to use. */
                target?: components["parameters"]["Target"];
            };
            header?: never;
            path: {
                /** @description Name of the storage pool. */
                name: components["parameters"]["PoolName"];
                /** @description Type of the volumes. */
                type: components["parameters"]["VolumeType"];
                /** @description Name of the volume. */
                volume: components["parameters"]["VolumeName"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["StorageVolumeSnapshotsPost"];
            };
        };
        responses: {
            202: components["responses"]["Operation"];
            400: components["responses"]["BadRequest"];
            404: components["responses"]["NotFound"];
            409: components["responses"]["Conflict"];
            413: components["responses"]["TooLarge"];
            default: components["responses"]["Error"];
        };
    };
    storagePoolVolumeSnapshotGet: {
        parameters: {
            query?: {
                /** @description Project to work in. */
                project?: components["parameters"]["Project"];
                /** @description Member of the cluster to ask or to use. */
                target?: components["parameters"]["Target"];
            };
            header?: never;
            path: {
                /** @description Name of the storage pool. */
                name: components["parameters"]["PoolName"];
                /** @description Type of the volumes. */
                type: components["parameters"]["VolumeType"];
                /** @description Name of the volume. */
                volume: components["parameters"]["VolumeName"];
                /** @description Name of the snapshot. */
                snapshot: components["parameters"]["SnapshotName"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The snapshot. */
            200: {
                headers: {
                    ETag: components["headers"]["ETag"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SyncResponse"] & {
                        metadata: components["schemas"]["StorageVolumeSnapshot"];
                    };
                };
            };
            400: components["responses"]["BadRequest"];
            404: components["responses"]["NotFound"];
            default: components["responses"]["Error"];
        };
    };
    storagePoolVolumeSnapshotPut: {
        parameters: {
            query?: {
                /** @description Project to work in. */
                project?: components["parameters"]["Project"];
                /** @description Member of the cluster to ask or to use. */
                target?: components["parameters"]["Target"];
            };
            header?: {
                /** @description Refuse the change when the ETag is another by now. */
                "If-Match"?: components["parameters"]["IfMatch"];
            };
            path: {
                /** @description Name of the storage pool. */
                name: components["parameters"]["PoolName"];
                /** @description Type of the volumes. */
                type: components["parameters"]["VolumeType"];
                /** @description Name of the volume. */
                volume: components["parameters"]["VolumeName"];
                /** @description Name of the snapshot. */
                snapshot: components["parameters"]["SnapshotName"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["StorageVolumeSnapshotPut"];
            };
        };
        responses: {
            200: components["responses"]["Empty"];
            400: components["responses"]["BadRequest"];
            404: components["responses"]["NotFound"];
            412: components["responses"]["PreconditionFailed"];
            413: components["responses"]["TooLarge"];
            default: components["responses"]["Error"];
        };
    };
    storagePoolVolumeSnapshotPost: {
        parameters: {
            query?: {
                /** @description Project to work in. */
                project?: components["parameters"]["Project"];
                /** @description Member of the cluster to ask or to use. */
                target?: components["parameters"]["Target"];
            };
            header?: never;
            path: {
                /** @description Name of the storage pool. */
                name: components["parameters"]["PoolName"];
                /** @description Type of the volumes. */
                type: components["parameters"]["VolumeType"];
                /** @description Name of the volume. */
                volume: components["parameters"]["VolumeName"];
                /** @description Name of the snapshot. */
                snapshot: components["parameters"]["SnapshotName"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["StorageVolumeSnapshotPost"];
            };
        };
        responses: {
            202: components["responses"]["Operation"];
            400: components["responses"]["BadRequest"];
            404: components["responses"]["NotFound"];
            413: components["responses"]["TooLarge"];
            default: components["responses"]["Error"];
        };
    };
    storagePoolVolumeSnapshotDelete: {
        parameters: {
            query?: {
                /** @description Project to work in. */
                project?: components["parameters"]["Project"];
                /** @description Member of the cluster to ask or to use. */
                target?: components["parameters"]["Target"];
            };
            header?: never;
            path: {
                /** @description Name of the storage pool. */
                name: components["parameters"]["PoolName"];
                /** @description Type of the volumes. */
                type: components["parameters"]["VolumeType"];
                /** @description Name of the volume. */
                volume: components["parameters"]["VolumeName"];
                /** @description Name of the snapshot. */
                snapshot: components["parameters"]["SnapshotName"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            202: components["responses"]["Operation"];
            400: components["responses"]["BadRequest"];
            404: components["responses"]["NotFound"];
            default: components["responses"]["Error"];
        };
    };
    storagePoolVolumeSnapshotPatch: {
        parameters: {
            query?: {
                /** @description Project to work in. */
                project?: components["parameters"]["Project"];
                /** @description Member of the cluster to ask or to use. */
                target?: components["parameters"]["Target"];
            };
            header?: {
                /** @description Refuse the change when the ETag is another by now. */
                "If-Match"?: components["parameters"]["IfMatch"];
            };
            path: {
                /** @description Name of the storage pool. */
                name: components["parameters"]["PoolName"];
                /** @description Type of the volumes. */
                type: components["parameters"]["VolumeType"];
                /** @description Name of the volume. */
                volume: components["parameters"]["VolumeName"];
                /** @description Name of the snapshot. */
                snapshot: components["parameters"]["SnapshotName"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["StorageVolumeSnapshotPut"];
            };
        };
        responses: {
            200: components["responses"]["Empty"];
            400: components["responses"]["BadRequest"];
            404: components["responses"]["NotFound"];
            412: components["responses"]["PreconditionFailed"];
            413: components["responses"]["TooLarge"];
            default: components["responses"]["Error"];
        };
    };
    networksGet: {
        parameters: {
            query?: {
                /** @description Project to work in. */
                project?: components["parameters"]["Project"];
                /** @description 0 for paths, 1 for objects; more where it says so. */
                recursion?: components["parameters"]["Recursion"];
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The networks. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SyncResponse"] & {
                        metadata: components["schemas"]["Paths"] | components["schemas"]["Network"][];
                    };
                };
            };
            default: components["responses"]["Error"];
        };
    };
    networksPost: {
        parameters: {
            query?: {
                /** @description Project to work in. */
                project?: components["parameters"]["Project"];
                /** @description Member of the cluster to ask or to use. */
                target?: components["parameters"]["Target"];
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["NetworksPost"];
            };
        };
        responses: {
            201: components["responses"]["Created"];
            400: components["responses"]["BadRequest"];
            409: components["responses"]["Conflict"];
            default: components["responses"]["Error"];
        };
    };
    networkGet: {
        parameters: {
            query?: {
                /** @description Project to work in. */
                project?: components["parameters"]["Project"];
                /** @description Member of the cluster to ask or to use. */
                target?: components["parameters"]["Target"];
            };
            header?: never;
            path: {
                /** @description Name of the network. */
                name: components["parameters"]["NetworkName"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The network. */
            200: {
                headers: {
                    ETag: components["headers"]["ETag"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SyncResponse"] & {
                        metadata: components["schemas"]["Network"];
                    };
                };
            };
            404: components["responses"]["NotFound"];
            default: components["responses"]["Error"];
        };
    };
    networkPut: {
        parameters: {
            query?: {
                /** @description Project to work in. */
                project?: components["parameters"]["Project"];
                /** @description Member of the cluster to ask or to use. */
                target?: components["parameters"]["Target"];
            };
            header?: {
                /** @description Refuse the change when the ETag is another by now. */
                "If-Match"?: components["parameters"]["IfMatch"];
            };
            path: {
                /** @description Name of the network. */
                name: components["parameters"]["NetworkName"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["NetworkPut"];
            };
        };
        responses: {
            200: components["responses"]["Empty"];
            400: components["responses"]["BadRequest"];
            404: components["responses"]["NotFound"];
            412: components["responses"]["PreconditionFailed"];
            default: components["responses"]["Error"];
        };
    };
    networkPost: {
        parameters: {
            query?: {
                /** @description Project to work in. */
                project?: components["parameters"]["Project"];
            };
            header?: never;
            path: {
                /** @description Name of the network. */
                name: components["parameters"]["NetworkName"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["NetworkPost"];
            };
        };
        responses: {
            201: components["responses"]["Created"];
            400: components["responses"]["BadRequest"];
            404: components["responses"]["NotFound"];
            409: components["responses"]["Conflict"];
            default: components["responses"]["Error"];
        };
    };
    networkDelete: {
        parameters: {
            query?: {
                /** @description Project to work in. */
                project?: components["parameters"]["Project"];
            };
            header?: never;
            path: {
                /** @description Name of the network. */
                name: components["parameters"]["NetworkName"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: components["responses"]["Empty"];
            400: components["responses"]["BadRequest"];
            404: components["responses"]["NotFound"];
            default: components["responses"]["Error"];
        };
    };
    networkPatch: {
        parameters: {
            query?: {
                /** @description Project to work in. */
                project?: components["parameters"]["Project"];
                /** @description Member of the cluster to ask or to use. */
                target?: components["parameters"]["Target"];
            };
            header?: {
                /** @description Refuse the change when the ETag is another by now. */
                "If-Match"?: components["parameters"]["IfMatch"];
            };
            path: {
                /** @description Name of the network. */
                name: components["parameters"]["NetworkName"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["NetworkPut"];
            };
        };
        responses: {
            200: components["responses"]["Empty"];
            400: components["responses"]["BadRequest"];
            404: components["responses"]["NotFound"];
            412: components["responses"]["PreconditionFailed"];
            default: components["responses"]["Error"];
        };
    };
    networkLeasesGet: {
        parameters: {
            query?: {
                /** @description Project to work in. */
                project?: components["parameters"]["Project"];
                /** @description Member of the cluster to ask or to use. */
                target?: components["parameters"]["Target"];
            };
            header?: never;
            path: {
                /** @description Name of the network. */
                name: components["parameters"]["NetworkName"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The leases. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SyncResponse"] & {
                        metadata: components["schemas"]["NetworkLease"][];
                    };
                };
            };
            404: components["responses"]["NotFound"];
            default: components["responses"]["Error"];
        };
    };
    networkStateGet: {
        parameters: {
            query?: {
                /** @description Project to work in. */
                project?: components["parameters"]["Project"];
                /** @description Member of the cluster to ask or to use. */
                target?: components["parameters"]["Target"];
            };
            header?: never;
            path: {
                /** @description Name of the network. */
                name: components["parameters"]["NetworkName"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The state. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SyncResponse"] & {
                        metadata: components["schemas"]["NetworkState"];
                    };
                };
            };
            404: components["responses"]["NotFound"];
            default: components["responses"]["Error"];
        };
    };
    projectsGet: {
        parameters: {
            query?: {
                /** @description 0 for paths, 1 for objects; more where it says so. */
                recursion?: components["parameters"]["Recursion"];
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The projects. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SyncResponse"] & {
                        metadata: components["schemas"]["Paths"] | components["schemas"]["Project"][];
                    };
                };
            };
            default: components["responses"]["Error"];
        };
    };
    projectGet: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Name of the project. */
                name: components["parameters"]["ProjectName"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The project. */
            200: {
                headers: {
                    ETag: components["headers"]["ETag"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SyncResponse"] & {
                        metadata: components["schemas"]["Project"];
                    };
                };
            };
            404: components["responses"]["NotFound"];
            default: components["responses"]["Error"];
        };
    };
    certificatesGet: {
        parameters: {
            query?: {
                /** @description 0 for paths, 1 for objects; more where it says so. */
                recursion?: components["parameters"]["Recursion"];
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The certificates. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SyncResponse"] & {
                        metadata: components["schemas"]["Paths"] | components["schemas"]["Certificate"][];
                    };
                };
            };
            default: components["responses"]["Error"];
        };
    };
    certificatesPost: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["CertificatesPost"];
            };
        };
        responses: {
            201: components["responses"]["Created"];
            202: components["responses"]["Operation"];
            400: components["responses"]["BadRequest"];
            403: components["responses"]["Forbidden"];
            409: components["responses"]["Conflict"];
            default: components["responses"]["Error"];
        };
    };
    certificateGet: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Of the certificate, or a beginning that only one has. */
                fingerprint: components["parameters"]["CertificateFingerprint"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The certificate. */
            200: {
                headers: {
                    ETag: components["headers"]["ETag"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SyncResponse"] & {
                        metadata: components["schemas"]["Certificate"];
                    };
                };
            };
            404: components["responses"]["NotFound"];
            default: components["responses"]["Error"];
        };
    };
    certificatePut: {
        parameters: {
            query?: never;
            header?: {
                /** @description Refuse the change when the ETag is another by now. */
                "If-Match"?: components["parameters"]["IfMatch"];
            };
            path: {
                /** @description Of the certificate, or a beginning that only one has. */
                fingerprint: components["parameters"]["CertificateFingerprint"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["CertificatePut"];
            };
        };
        responses: {
            200: components["responses"]["Empty"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            412: components["responses"]["PreconditionFailed"];
            default: components["responses"]["Error"];
        };
    };
    certificateDelete: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Of the certificate, or a beginning that only one has. */
                fingerprint: components["parameters"]["CertificateFingerprint"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: components["responses"]["Empty"];
            404: components["responses"]["NotFound"];
            default: components["responses"]["Error"];
        };
    };
    certificatePatch: {
        parameters: {
            query?: never;
            header?: {
                /** @description Refuse the change when the ETag is another by now. */
                "If-Match"?: components["parameters"]["IfMatch"];
            };
            path: {
                /** @description Of the certificate, or a beginning that only one has. */
                fingerprint: components["parameters"]["CertificateFingerprint"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["CertificatePut"];
            };
        };
        responses: {
            200: components["responses"]["Empty"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            412: components["responses"]["PreconditionFailed"];
            default: components["responses"]["Error"];
        };
    };
    clusterGet: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The cluster. */
            200: {
                headers: {
                    ETag: components["headers"]["ETag"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SyncResponse"] & {
                        metadata: components["schemas"]["Cluster"];
                    };
                };
            };
            default: components["responses"]["Error"];
        };
    };
    clusterPut: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ClusterPut"];
            };
        };
        responses: {
            202: components["responses"]["Operation"];
            400: components["responses"]["BadRequest"];
            default: components["responses"]["Error"];
        };
    };
    clusterExplainGet: {
        parameters: {
            query?: {
                /** @description Project to work in. */
                project?: components["parameters"]["Project"];
                /** @description Name of an instance. */
                instance?: components["parameters"]["InstanceQuery"];
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The explanation. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SyncResponse"] & {
                        metadata: components["schemas"]["ClusterExplanation"];
                    };
                };
            };
            400: components["responses"]["BadRequest"];
            404: components["responses"]["NotFound"];
            default: components["responses"]["Error"];
        };
    };
    clusterExplainPost: {
        parameters: {
            query?: {
                /** @description Project to work in. */
                project?: components["parameters"]["Project"];
                /** @description Member of the cluster to ask or to use. */
                target?: components["parameters"]["Target"];
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["InstancesPost"];
            };
        };
        responses: {
            /** @description The explanation. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SyncResponse"] & {
                        metadata: components["schemas"]["ClusterExplanation"];
                    };
                };
            };
            400: components["responses"]["BadRequest"];
            404: components["responses"]["NotFound"];
            default: components["responses"]["Error"];
        };
    };
    clusterMembersGet: {
        parameters: {
            query?: {
                /** @description 0 for paths, 1 for objects; more where it says so. */
                recursion?: components["parameters"]["Recursion"];
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The members. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SyncResponse"] & {
                        metadata: components["schemas"]["Paths"] | components["schemas"]["ClusterMember"][];
                    };
                };
            };
            default: components["responses"]["Error"];
        };
    };
    clusterMembersPost: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ClusterMembersPost"];
            };
        };
        responses: {
            202: components["responses"]["Operation"];
            400: components["responses"]["BadRequest"];
            409: components["responses"]["Conflict"];
            default: components["responses"]["Error"];
        };
    };
    clusterMemberGet: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Name of a member. */
                name: components["parameters"]["MemberName"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The member. */
            200: {
                headers: {
                    ETag: components["headers"]["ETag"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SyncResponse"] & {
                        metadata: components["schemas"]["ClusterMember"];
                    };
                };
            };
            404: components["responses"]["NotFound"];
            default: components["responses"]["Error"];
        };
    };
    clusterMemberPut: {
        parameters: {
            query?: never;
            header?: {
                /** @description Refuse the change when the ETag is another by now. */
                "If-Match"?: components["parameters"]["IfMatch"];
            };
            path: {
                /** @description Name of a member. */
                name: components["parameters"]["MemberName"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ClusterMemberPut"];
            };
        };
        responses: {
            200: components["responses"]["Empty"];
            400: components["responses"]["BadRequest"];
            404: components["responses"]["NotFound"];
            412: components["responses"]["PreconditionFailed"];
            default: components["responses"]["Error"];
        };
    };
    clusterMemberPost: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Name of a member. */
                name: components["parameters"]["MemberName"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ClusterMemberPost"];
            };
        };
        responses: {
            201: components["responses"]["Created"];
            400: components["responses"]["BadRequest"];
            404: components["responses"]["NotFound"];
            409: components["responses"]["Conflict"];
            default: components["responses"]["Error"];
        };
    };
    clusterMemberDelete: {
        parameters: {
            query?: {
                /** @description 1 when it is dead. */
                force?: components["parameters"]["ForceRemoval"];
            };
            header?: never;
            path: {
                /** @description Name of a member. */
                name: components["parameters"]["MemberName"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: components["responses"]["Empty"];
            400: components["responses"]["BadRequest"];
            404: components["responses"]["NotFound"];
            default: components["responses"]["Error"];
        };
    };
    clusterMemberPatch: {
        parameters: {
            query?: never;
            header?: {
                /** @description Refuse the change when the ETag is another by now. */
                "If-Match"?: components["parameters"]["IfMatch"];
            };
            path: {
                /** @description Name of a member. */
                name: components["parameters"]["MemberName"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ClusterMemberPatch"];
            };
        };
        responses: {
            200: components["responses"]["Empty"];
            400: components["responses"]["BadRequest"];
            404: components["responses"]["NotFound"];
            412: components["responses"]["PreconditionFailed"];
            default: components["responses"]["Error"];
        };
    };
    clusterMemberStatePost: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Name of a member. */
                name: components["parameters"]["MemberName"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ClusterMemberStatePost"];
            };
        };
        responses: {
            202: components["responses"]["Operation"];
            400: components["responses"]["BadRequest"];
            404: components["responses"]["NotFound"];
            default: components["responses"]["Error"];
        };
    };
    clusterGroupsGet: {
        parameters: {
            query?: {
                /** @description 0 for paths, 1 for objects; more where it says so. */
                recursion?: components["parameters"]["Recursion"];
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The groups. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SyncResponse"] & {
                        metadata: components["schemas"]["Paths"] | components["schemas"]["ClusterGroup"][];
                    };
                };
            };
            default: components["responses"]["Error"];
        };
    };
    clusterGroupsPost: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ClusterGroupsPost"];
            };
        };
        responses: {
            201: components["responses"]["Created"];
            400: components["responses"]["BadRequest"];
            409: components["responses"]["Conflict"];
            default: components["responses"]["Error"];
        };
    };
    clusterGroupGet: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Name of a group of members. */
                name: components["parameters"]["GroupName"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The group. */
            200: {
                headers: {
                    ETag: components["headers"]["ETag"];
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SyncResponse"] & {
                        metadata: components["schemas"]["ClusterGroup"];
                    };
                };
            };
            404: components["responses"]["NotFound"];
            default: components["responses"]["Error"];
        };
    };
    clusterGroupPut: {
        parameters: {
            query?: never;
            header?: {
                /** @description Refuse the change when the ETag is another by now. */
                "If-Match"?: components["parameters"]["IfMatch"];
            };
            path: {
                /** @description Name of a group of members. */
                name: components["parameters"]["GroupName"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ClusterGroupPut"];
            };
        };
        responses: {
            200: components["responses"]["Empty"];
            400: components["responses"]["BadRequest"];
            404: components["responses"]["NotFound"];
            412: components["responses"]["PreconditionFailed"];
            default: components["responses"]["Error"];
        };
    };
    clusterGroupPost: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Name of a group of members. */
                name: components["parameters"]["GroupName"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ClusterGroupPost"];
            };
        };
        responses: {
            201: components["responses"]["Created"];
            400: components["responses"]["BadRequest"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            409: components["responses"]["Conflict"];
            default: components["responses"]["Error"];
        };
    };
    clusterGroupDelete: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Name of a group of members. */
                name: components["parameters"]["GroupName"];
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: components["responses"]["Empty"];
            400: components["responses"]["BadRequest"];
            403: components["responses"]["Forbidden"];
            404: components["responses"]["NotFound"];
            default: components["responses"]["Error"];
        };
    };
    clusterGroupPatch: {
        parameters: {
            query?: never;
            header?: {
                /** @description Refuse the change when the ETag is another by now. */
                "If-Match"?: components["parameters"]["IfMatch"];
            };
            path: {
                /** @description Name of a group of members. */
                name: components["parameters"]["GroupName"];
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ClusterGroupPatch"];
            };
        };
        responses: {
            200: components["responses"]["Empty"];
            400: components["responses"]["BadRequest"];
            404: components["responses"]["NotFound"];
            412: components["responses"]["PreconditionFailed"];
            default: components["responses"]["Error"];
        };
    };
    clusterCertificatePut: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ClusterCertificatePut"];
            };
        };
        responses: {
            200: components["responses"]["Empty"];
            400: components["responses"]["BadRequest"];
            default: components["responses"]["Error"];
        };
    };
    resourcesGet: {
        parameters: {
            query?: {
                /** @description Member of the cluster to ask or to use. */
                target?: components["parameters"]["Target"];
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The machine. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SyncResponse"] & {
                        metadata: components["schemas"]["Resources"];
                    };
                };
            };
            404: components["responses"]["NotFound"];
            default: components["responses"]["Error"];
        };
    };
    warningsGet: {
        parameters: {
            query?: {
                /** @description Project to work in. */
                project?: components["parameters"]["Project"];
                /** @description 0 for paths, 1 for objects; more where it says so. */
                recursion?: components["parameters"]["Recursion"];
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The warnings. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SyncResponse"] & {
                        metadata: components["schemas"]["Paths"] | components["schemas"]["Warning"][];
                    };
                };
            };
            default: components["responses"]["Error"];
        };
    };
    internalClusterEnrollPost: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ClusterEnrollPost"];
            };
        };
        responses: {
            /** @description The new member’s certificate, and what it needs besides. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SyncResponse"] & {
                        metadata: components["schemas"]["ClusterEnrolled"];
                    };
                };
            };
            403: components["responses"]["Forbidden"];
            409: components["responses"]["Conflict"];
            default: components["responses"]["Error"];
        };
    };
    internalEventsGet: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            101: components["responses"]["Websocket"];
            default: components["responses"]["Error"];
        };
    };
    internalOperationsGet: {
        parameters: {
            query?: {
                /** @description Project to work in. */
                project?: components["parameters"]["Project"];
                /** @description From every project. */
                "all-projects"?: components["parameters"]["AllProjects"];
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The operations. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SyncResponse"] & {
                        metadata: components["schemas"]["Operation"][];
                    };
                };
            };
            default: components["responses"]["Error"];
        };
    };
    internalReadyGet: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: components["responses"]["Empty"];
            503: components["responses"]["Unavailable"];
            default: components["responses"]["Error"];
        };
    };
    internalShutdownPut: {
        parameters: {
            query?: {
                /** @description Do not wait for running operations. */
                force?: components["parameters"]["Force"];
                /** @description Only stop the instances of this member, which goes down. */
                member?: components["parameters"]["StoppedMember"];
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: components["responses"]["Empty"];
            default: components["responses"]["Error"];
        };
    };
    internalRecoverValidatePost: {
        parameters: {
            query?: {
                /** @description Member of the cluster to ask or to use. */
                target?: components["parameters"]["Target"];
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["RecoverPost"];
            };
        };
        responses: {
            /** @description What was found. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SyncResponse"] & {
                        metadata: components["schemas"]["RecoverFound"];
                    };
                };
            };
            400: components["responses"]["BadRequest"];
            404: components["responses"]["NotFound"];
            default: components["responses"]["Error"];
        };
    };
    internalRecoverImportPost: {
        parameters: {
            query?: {
                /** @description Member of the cluster to ask or to use. */
                target?: components["parameters"]["Target"];
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["RecoverPost"];
            };
        };
        responses: {
            /** @description Done: an empty object. Else what is missing. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["SyncResponse"] & {
                        metadata: components["schemas"]["RecoverFound"] | Record<string, never>;
                    };
                };
            };
            400: components["responses"]["BadRequest"];
            404: components["responses"]["NotFound"];
            409: components["responses"]["Conflict"];
            default: components["responses"]["Error"];
        };
    };
}
