/*
 * Mounts of layered roots, and programs that see what lies beneath them.
 *
 *   lxd-ts-overlay run     POOL LOWER LAYER TARGET [RANGE...]    LAYER holds `upper` and `work`; with the ids of RANGE...
 *   lxd-ts-overlay write   POOL LOWER LAYER TARGET [RANGE...]    the same, but nothing on it is a device or is run
 *   lxd-ts-overlay read    POOL LOWER LAYER TARGET [RANGE...]    nor written, whoever else has these layers mounted
 *   lxd-ts-overlay beneath POOL PROGRAM ARGUMENT...              for it nothing is mounted below POOL
 *
 * LOWER and LAYER are relative to POOL, and what is mounted below POOL is not seen there either. TARGET is a directory.
 * Owners are mapped in the layers: an overlay itself cannot be. The one who mounts it must then be known by the map, for it
 * is by his credentials that the kernel writes to the layers: the file system ids become those of the root inside. Layers
 * are attached in a mount namespace of our own, where their paths are short: kernels before 6.14 take no others.
 * Exits 0, or says on stderr why not.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/mount.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/fsuid.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "runtime.h"

static int complain(const char *what)
{
	dprintf(STDERR_FILENO, "%s: %s\n", what, strerror(errno));
	return 1;
}

static int clone_tree(int at, const char *path)
{
	return (int)syscall(SYS_open_tree, at, path, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_SYMLINK_NOFOLLOW);
}

static int attach(int tree, int at, const char *path)
{
	return (int)syscall(SYS_move_mount, tree, "", at, path, MOVE_MOUNT_F_EMPTY_PATH | (*path ? 0 : MOVE_MOUNT_T_EMPTY_PATH));
}

/* In a mount namespace of our own the pool covers itself, and so whatever is mounted below it. */
static bool uncover(const char *pool)
{
	int tree;

	if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		return false;
	tree = clone_tree(AT_FDCWD, pool);
	if (tree < 0 || attach(tree, AT_FDCWD, pool) < 0)
		return false;
	close(tree);
	return true;
}

/* A layer, with its owners mapped, at a name of the directory we are in. */
static bool place(int pool, const char *path, const char *name, int users)
{
	struct mount_attr attr = { .attr_set = MOUNT_ATTR_IDMAP, .userns_fd = (unsigned)users };
	int tree = clone_tree(pool, path);
	bool placed = tree >= 0 &&
		      (users < 0 || syscall(SYS_mount_setattr, tree, "", AT_EMPTY_PATH, &attr, sizeof(attr)) == 0) &&
		      mkdir(name, 0700) == 0 && attach(tree, AT_FDCWD, name) == 0;

	if (tree >= 0)
		close(tree);
	return placed;
}

/* The host's ids of the root inside, 0 where it has none; all powers stay. */
static bool become_root_inside(char **ranges)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2];
	unsigned inside, outside, count;

	if (syscall(SYS_capget, &head, data) < 0)
		return false;
	for (; *ranges; ranges++) {
		if (sscanf(*ranges + 1, "%u %u %u", &inside, &outside, &count) != 3 || inside != 0 || count == 0)
			continue;
		if (**ranges == 'u')
			setfsuid(outside);
		else
			setfsgid(outside);
	}
	return syscall(SYS_capset, &head, data) == 0;
}

static bool set(int fs, const char *key, const char *value)
{
	return syscall(SYS_fsconfig, fs, FSCONFIG_SET_STRING, key, value, 0) == 0;
}

/* What the kernel has to say of a mount that it refused. */
static int complain_of(int fs)
{
	int saved = errno;
	char said[512];
	ssize_t size = fs < 0 ? 0 : read(fs, said, sizeof(said) - 1);

	dprintf(STDERR_FILENO, "overlay: %s%s%.*s\n", strerror(saved), size > 0 ? ": " : "", size > 0 ? (int)size : 0, said);
	return 1;
}

static int layered(const char *how, char **args)
{
	const char *pool = args[0], *lower = args[1], *layer = args[2];
	int host = open("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC);
	int target = open(args[3], O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	bool writes = strcmp(how, "read") != 0;
	unsigned attributes = strcmp(how, "run") == 0 ? 0 : MOUNT_ATTR_NODEV | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC;
	int users = -1, top, fs, mounted;

	if (host < 0 || target < 0)
		return complain(args[3]);
	if (args[4]) {
		users = make_user_namespace(args + 4);
		if (users < 0)
			return complain("the ids cannot be mapped");
	}
	if (!uncover(pool))
		return complain(pool);
	top = open(pool, O_PATH | O_DIRECTORY | O_CLOEXEC);
	/* Of this namespace alone, and gone with it. */
	if (top < 0 || mount("none", "/proc", "tmpfs", 0, "mode=700,size=64k") < 0 || chdir("/proc") < 0)
		return complain("a place for the layers");
	if (!place(top, lower, "lower", users))
		return complain(lower);
	if (!place(top, layer, "layer", users))
		return complain(layer);
	if (users >= 0 && !become_root_inside(args + 4))
		return complain("the ids of the root inside");

	fs = (int)syscall(SYS_fsopen, "overlay", FSOPEN_CLOEXEC);
	if (fs < 0 || !set(fs, "source", "lxd-ts") || !set(fs, "redirect_dir", "on") || !set(fs, "index", "off") ||
	    !set(fs, "metacopy", "off"))
		return complain_of(fs);
	if (writes ? !set(fs, "lowerdir", "lower") || !set(fs, "upperdir", "layer/upper") || !set(fs, "workdir", "layer/work")
		   : !set(fs, "lowerdir", "layer/upper:lower"))
		return complain_of(fs);
	if (syscall(SYS_fsconfig, fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
		return complain_of(fs);
	mounted = (int)syscall(SYS_fsmount, fs, FSMOUNT_CLOEXEC, attributes | (writes ? 0 : MOUNT_ATTR_RDONLY));
	if (mounted < 0)
		return complain_of(fs);
	if (setns(host, CLONE_NEWNS) < 0 || attach(mounted, target, "") < 0)
		return complain(args[3]);
	return 0;
}

static int beneath(char **args)
{
	if (!uncover(args[0]))
		return complain(args[0]);
	execvp(args[1], args + 1);
	return complain(args[1]);
}

int main(int argc, char **argv)
{
	const char *verb = argc > 1 ? argv[1] : "";

	if ((strcmp(verb, "run") == 0 || strcmp(verb, "write") == 0 || strcmp(verb, "read") == 0) && argc >= 6)
		return layered(verb, argv + 2);
	if (strcmp(verb, "beneath") == 0 && argc >= 4)
		return beneath(argv + 2);
	dprintf(STDERR_FILENO, "usage: lxd-ts-overlay run|write|read|beneath … (run by lxd-tsd)\n");
	return 2;
}
