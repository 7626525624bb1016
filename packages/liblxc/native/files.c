/*
 * Files of an instance, over SFTP on stdin and stdout, by a process that sees nothing but the instance: its mounts and user
 * namespace when it runs, its root alone when it does not. Whatever a link in there says, there is no host to find.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "runtime.h"
#include "sftp.h"

/* Kept of root's powers, for the files of all owners. */
static const unsigned kept[] = { CAP_CHOWN, CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH, CAP_FOWNER, CAP_FSETID };

/* ROOTFS [RANGE...]: its root becomes ours, mapped as it is when it runs (`mapped`: it is already), and all else is gone. */
static int enter_root(const char *rootfs, char **ranges, bool mapped)
{
	struct mount_attr attr = { .attr_set = MOUNT_ATTR_NODEV | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC };
	int users = -1;
	int tree = open_tree(AT_FDCWD, rootfs, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_SYMLINK_NOFOLLOW);

	if (tree < 0)
		return fail("the root cannot be opened: %s", strerror(errno));
	if (*ranges) {
		users = make_user_namespace(ranges);
		if (users < 0)
			return fail("the ids cannot be mapped: %s", strerror(errno));
	}
	if (users >= 0 && !mapped) {
		attr.attr_set |= MOUNT_ATTR_IDMAP;
		attr.userns_fd = (unsigned)users;
	}
	if (mount_setattr(tree, "", AT_EMPTY_PATH, &attr, sizeof(attr)) < 0)
		return fail("the root cannot be mapped: %s", strerror(errno));
	if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
	    move_mount(tree, "", AT_FDCWD, rootfs, MOVE_MOUNT_F_EMPTY_PATH) < 0 || fchdir(tree) < 0 ||
	    syscall(SYS_pivot_root, ".", ".") < 0 || umount2(".", MNT_DETACH) < 0 || chdir("/") < 0)
		return fail("the root cannot be entered: %s", strerror(errno));
	if (users >= 0 && setns(users, CLONE_NEWUSER) < 0)
		return fail("the user namespace cannot be entered: %s", strerror(errno));
	close(tree);
	close(users);
	return 0;
}

/* LXCPATH NAME: where its init is, but not among its processes: nobody in there can see or touch this one. */
static int enter_running(const char *lxcpath, const char *name)
{
	struct lxc_container *container = lxc_container_new(name, lxcpath);
	int init = container ? container->init_pidfd(container) : -1;
	pid_t pid = container ? container->init_pid(container) : -1;
	struct pollfd alive = { .fd = init, .events = POLLIN };
	int namespaces = CLONE_NEWNS;

	if (init < 0 || pid <= 0)
		return fail("the container is not running");
	if (on_host(pid, 0) != 0)
		namespaces |= CLONE_NEWUSER;
	/* It still lives, so what was read by its number was of itself. */
	if (poll(&alive, 1, 0) != 0)
		return fail("the container has just ended");
	if (setns(init, namespaces) < 0)
		return fail("the container cannot be entered: %s", strerror(errno));
	lxc_container_put(container);
	close(init);
	return 0;
}

static int drop_rights(void)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2] = { 0 };
	const struct rlimit none = { 0, 0 };

	if (setgroups(0, NULL) < 0 || setresgid(0, 0, 0) < 0 || setresuid(0, 0, 0) < 0)
		return -1;
	for (int cap = 0; cap <= CAP_LAST_CAP; cap++)
		prctl(PR_CAPBSET_DROP, cap, 0, 0, 0);
	for (size_t i = 0; i < sizeof(kept) / sizeof(*kept); i++)
		data[CAP_TO_INDEX(kept[i])].permitted |= CAP_TO_MASK(kept[i]);
	for (int i = 0; i < 2; i++)
		data[i].effective = data[i].permitted;
	if (setrlimit(RLIMIT_CORE, &none) < 0 || prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0 ||
	    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return -1;
	return (int)syscall(SYS_capset, &head, data);
}

/* running LXCPATH NAME | stopped ROOTFS [RANGE...] | mapped ROOTFS [RANGE...] */
int files(char **args)
{
	/* Our own descriptors by name, as a mount without a parent: nothing of the host is to be reached by it. */
	int descriptors = open_tree(AT_FDCWD, "/proc/self/fd", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
	int failed;

	if (descriptors < 0)
		return fail("/proc cannot be opened: %s", strerror(errno));
	if (strcmp(args[0], "running") == 0)
		failed = enter_running(args[1], args[2]);
	else
		failed = enter_root(args[1], args + 2, strcmp(args[0], "mapped") == 0);
	if (failed)
		return failed;
	/* What liblxc has opened on the way is not for those in there. */
	if ((descriptors != control + 1 && dup3(descriptors, control + 1, O_CLOEXEC) < 0) ||
	    close_range(control + 2, ~0U, 0) < 0)
		return fail("descriptors cannot be closed: %s", strerror(errno));
	if (drop_rights() < 0)
		return fail("rights cannot be given up: %s", strerror(errno));
	umask(0);
	dprintf(control, "pid %d\n", getpid());
	return sftp(control + 1);
}
