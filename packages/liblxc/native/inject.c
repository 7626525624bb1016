/*
 * Mounts into a container that runs, and out of it.
 *
 *   inject PID SOURCE TARGET OPTIONS    OPTIONS: dir|file and others separated by commas (see below)
 *   eject  PID TARGET remove|keep       remove: what it was mounted on goes, too, where it is an empty file
 *
 * What is mounted is taken from the host, carried into the mount namespace of the container's init, and the way to the
 * target is looked up there below its root: no link inside leads to the host. Exits 0, or says on stderr why not.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
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

static const struct {
	const char *name;
	unsigned long long set, clear;
} flags[] = {
	{ "ro", MOUNT_ATTR_RDONLY, 0 },
	{ "rw", 0, MOUNT_ATTR_RDONLY },
	{ "nosuid", MOUNT_ATTR_NOSUID, 0 },
	{ "suid", 0, MOUNT_ATTR_NOSUID },
	{ "nodev", MOUNT_ATTR_NODEV, 0 },
	{ "dev", 0, MOUNT_ATTR_NODEV },
	{ "noexec", MOUNT_ATTR_NOEXEC, 0 },
	{ "exec", 0, MOUNT_ATTR_NOEXEC },
	{ "noatime", MOUNT_ATTR_NOATIME, MOUNT_ATTR__ATIME },
	{ "relatime", MOUNT_ATTR_RELATIME, MOUNT_ATTR__ATIME },
	{ "strictatime", MOUNT_ATTR_STRICTATIME, MOUNT_ATTR__ATIME },
	{ "nodiratime", MOUNT_ATTR_NODIRATIME, 0 },
	{ "nosymfollow", MOUNT_ATTR_NOSYMFOLLOW, 0 },
};

static const struct {
	const char *name;
	unsigned long long propagation;
	bool recursive;
} propagations[] = {
	{ "private", MS_PRIVATE, false }, { "rprivate", MS_PRIVATE, true },
	{ "shared", MS_SHARED, false },	  { "rshared", MS_SHARED, true },
	{ "slave", MS_SLAVE, false },	  { "rslave", MS_SLAVE, true },
	{ "unbindable", MS_UNBINDABLE, false }, { "runbindable", MS_UNBINDABLE, true },
};

static int complain(const char *what)
{
	dprintf(STDERR_FILENO, "%s: %s\n", what, strerror(errno));
	return 1;
}

static int open_of(pid_t pid, const char *what, int mode)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/%s", pid, what);
	return open(path, mode | O_CLOEXEC);
}

/* From here on paths are the container's. */
static bool enter(pid_t pid)
{
	int ns = open_of(pid, "ns/mnt", O_RDONLY), root = open_of(pid, "root", O_PATH | O_DIRECTORY);
	uid_t uid = on_host(pid, 0);
	gid_t gid = group_on_host(pid, 0);

	if (ns < 0 || root < 0 || setns(ns, CLONE_NEWNS) < 0 || fchdir(root) < 0 || chroot(".") < 0 || chdir("/") < 0)
		return false;
	/* What is made belongs to the root inside; a user nobody inside knows could not make anything. */
	setfsgid(gid);
	setfsuid(uid);
	umask(0);
	return true;
}

static bool make_target(char *target, bool directory)
{
	struct stat found;
	int file;

	for (char *at = strchr(target, '/'); at; at = strchr(at + 1, '/')) {
		*at = '\0';
		if (*target && mkdir(target, 0755) < 0 && errno != EEXIST)
			return false;
		*at = '/';
	}
	if (stat(target, &found) == 0)
		return true;
	if (directory)
		return mkdir(target, 0755) == 0;
	file = open(target, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	if (file < 0)
		return false;
	close(file);
	return true;
}

int inject(char **args)
{
	struct mount_attr attr = { 0 };
	pid_t pid = (pid_t)atoi(args[0]);
	bool recursive = false, directory = false;
	/* What happens to it inside is nobody's concern outside, unless it is said. */
	unsigned spread_flags = AT_RECURSIVE;
	struct mount_attr spreading = { .propagation = MS_PRIVATE };
	int tree, user = -1;

	for (char *option = strtok(args[3], ","); option; option = strtok(NULL, ",")) {
		bool known = true;

		if (strcmp(option, "recursive") == 0)
			recursive = true;
		else if (strcmp(option, "dir") == 0)
			directory = true;
		else if (strcmp(option, "idmap") == 0)
			user = open_of(pid, "ns/user", O_RDONLY);
		else
			known = strcmp(option, "file") == 0;
		for (size_t i = 0; !known && i < sizeof(flags) / sizeof(*flags); i++)
			if (strcmp(option, flags[i].name) == 0) {
				attr.attr_set |= flags[i].set;
				attr.attr_clr |= flags[i].clear;
				known = true;
			}
		for (size_t i = 0; !known && i < sizeof(propagations) / sizeof(*propagations); i++)
			if (strcmp(option, propagations[i].name) == 0) {
				spreading.propagation = propagations[i].propagation;
				spread_flags = propagations[i].recursive ? AT_RECURSIVE : 0;
				known = true;
			}
		if (!known) {
			dprintf(STDERR_FILENO, "the mount option \"%s\" is not known\n", option);
			return 1;
		}
	}
	if (user >= 0) {
		attr.attr_set |= MOUNT_ATTR_IDMAP;
		attr.userns_fd = (unsigned long long)user;
	}

	tree = (int)syscall(SYS_open_tree, AT_FDCWD, args[1],
			    OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | (recursive ? AT_RECURSIVE : 0));
	if (tree < 0)
		return complain(args[1]);
	if ((attr.attr_set || attr.attr_clr) &&
	    syscall(SYS_mount_setattr, tree, "", AT_EMPTY_PATH | (recursive ? AT_RECURSIVE : 0), &attr, sizeof(attr)) < 0)
		return complain("mount options");
	if (syscall(SYS_mount_setattr, tree, "", AT_EMPTY_PATH | spread_flags, &spreading, sizeof(spreading)) < 0)
		return complain("propagation");
	if (!enter(pid))
		return complain("entering the container");
	if (!make_target(args[2], directory))
		return complain(args[2]);
	if (syscall(SYS_move_mount, tree, "", AT_FDCWD, args[2], MOVE_MOUNT_F_EMPTY_PATH) < 0)
		return complain(args[2]);
	return 0;
}

int eject(char **args)
{
	struct stat found;

	if (!enter((pid_t)atoi(args[0])))
		return complain("entering the container");
	/* Where it is shared with the host, what is mounted below it there must stay. */
	mount(NULL, args[1], NULL, MS_REC | MS_PRIVATE, NULL);
	/* EINVAL and ENOENT: nothing is mounted there any more. */
	if (umount2(args[1], MNT_DETACH | UMOUNT_NOFOLLOW) < 0 && errno != EINVAL && errno != ENOENT)
		return complain(args[1]);
	if (strcmp(args[2], "remove") == 0 && lstat(args[1], &found) == 0 && S_ISREG(found.st_mode) && found.st_size == 0)
		unlink(args[1]);
	return 0;
}
