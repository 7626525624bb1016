/* What the btrfs tool cannot do: say of a subvolume what it was received from. */
#include "addon.h"

#include <fcntl.h>
#include <linux/btrfs.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

/* (path of a writable subvolume, 16 bytes) */
napi_value lxd_set_received(napi_env env, napi_callback_info info)
{
	size_t count = 2, length = 0;
	napi_value args[2];
	void *uuid = NULL;
	struct btrfs_ioctl_received_subvol_args received = { 0 };
	char *path;
	int fd, failed;

	napi_get_cb_info(env, info, &count, args, NULL, NULL);
	if (napi_get_buffer_info(env, args[1], &uuid, &length) != napi_ok || length != BTRFS_UUID_SIZE) {
		napi_throw_type_error(env, NULL, "a UUID has 16 bytes");
		return NULL;
	}
	path = lxd_string(env, args[0]);
	if (!path)
		return NULL;
	memcpy(received.uuid, uuid, BTRFS_UUID_SIZE);
	fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	free(path);
	if (fd < 0)
		return lxd_throw_errno(env, "open subvolume");
	failed = ioctl(fd, BTRFS_IOC_SET_RECEIVED_SUBVOL, &received) < 0;
	if (failed)
		lxd_throw_errno(env, "BTRFS_IOC_SET_RECEIVED_SUBVOL");
	close(fd);
	return NULL;
}
