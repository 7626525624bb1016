/* mknod, setxattr: what root inside needs to unpack and build images, and what harms nobody. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/capability.h>
#include <stdio.h>
#include <string.h>
#include <sys/fsuid.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "intercept.h"

struct node {
	int directory;
	const char *name;
	mode_t mode;
	dev_t device;
	uid_t uid;
	gid_t gid;
};

/* console, full, null, random, tty, urandom, zero: nodes that every container has. Whiteouts need no help. */
static bool is_harmless(mode_t mode, dev_t device)
{
	static const unsigned memory[] = { 3, 5, 7, 8, 9 };

	if (!S_ISCHR(mode))
		return false;
	if (major(device) == 5)
		return minor(device) < 2;
	for (size_t i = 0; major(device) == 1 && i < sizeof(memory) / sizeof(*memory); i++)
		if (minor(device) == memory[i])
			return true;
	return false;
}

/* As the caller, but with the right to make it: that the caller may write there has been seen. */
static bool act_as(uid_t uid, gid_t gid)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2];

	setfsgid(gid);
	setfsuid(uid);
	if (syscall(SYS_capget, &header, data) < 0)
		return false;
	data[0].effective = data[0].permitted;
	data[1].effective = data[1].permitted;
	return syscall(SYS_capset, &header, data) == 0;
}

static struct answer make_node(const struct call *call, void *data)
{
	const struct node *node = data;
	char path[32];
	int made, opened;

	umask(call->mask);
	if (!act_as(node->uid, node->gid))
		return failed(EPERM);
	if (mknodat(node->directory, node->name, node->mode, node->device) < 0)
		return failed(errno);
	/* Where no node can be used, a caller is better told: it may know another way. */
	made = openat(node->directory, node->name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	if (made >= 0) {
		struct stat file;

		snprintf(path, sizeof(path), "/proc/self/fd/%d", made);
		if (fstat(made, &file) == 0 && S_ISCHR(file.st_mode) && file.st_rdev == node->device) {
			opened = open(path, O_RDONLY | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
			if (opened < 0 && errno == EACCES) {
				unlinkat(node->directory, node->name, 0);
				return failed(EPERM);
			}
		}
	}
	return done(0);
}

struct answer on_mknod(const struct call *call, const struct settings *settings)
{
	const __u64 *args = call->notif->data.args;
	int dirfd = AT_FDCWD;
	char path[PATH_MAX], *name;
	struct node node = { .uid = call->uid, .gid = call->gid };
	struct answer answer;

	(void)settings;
	if (call->notif->data.nr == SYS_mknodat)
		dirfd = (int)*args++;
	node.mode = (mode_t)args[1];
	/* The kernel's own form of it, not the C library's. */
	node.device = makedev((args[2] & 0xfff00) >> 8, (args[2] & 0xff) | ((args[2] >> 12) & 0xfff00));
	if (!is_harmless(node.mode, node.device) || !capable_of(call, CAP_MKNOD) || !read_text(call, args[0], path, sizeof(path)))
		return pass_on();
	name = strrchr(path, '/');
	node.name = name ? name + 1 : path;
	if (!*node.name || strcmp(node.name, ".") == 0 || strcmp(node.name, "..") == 0)
		return pass_on();
	if (!name) {
		node.directory = resolve(call, dirfd, ".", O_DIRECTORY, true);
	} else {
		char directory[PATH_MAX + 2];

		snprintf(directory, sizeof(directory), "%.*s/", (int)(name - path), path);
		node.directory = resolve(call, dirfd, directory, O_DIRECTORY, true);
	}
	if (node.directory < 0)
		return failed(errno);
	answer = apart(make_node, call, &node);
	close(node.directory);
	return answer;
}

struct mark {
	int file;
	int flags;
};

static const char opaque[] = "trusted.overlay.opaque";

static struct answer set_mark(const struct call *call, void *data)
{
	const struct mark *mark = data;
	char path[32];

	(void)call;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", mark->file);
	return setxattr(path, opaque, "y", 1, mark->flags) < 0 ? failed(errno) : done(0);
}

struct answer on_setxattr(const struct call *call, const struct settings *settings)
{
	const __u64 *args = call->notif->data.args;
	char path[PATH_MAX], name[sizeof(opaque)], value;
	struct mark mark = { .flags = (int)args[4] };
	struct answer answer;

	(void)settings;
	if (!read_text(call, args[1], name, sizeof(name)) || strcmp(name, opaque) != 0 || args[3] != 1 ||
	    !capable_of(call, CAP_SYS_ADMIN) || !read_memory(call, args[2], &value, 1) || value != 'y' ||
	    !read_text(call, args[0], path, sizeof(path)))
		return pass_on();
	mark.file = resolve(call, AT_FDCWD, path, call->notif->data.nr == SYS_lsetxattr ? O_NOFOLLOW : 0, false);
	if (mark.file < 0)
		return failed(errno);
	answer = apart(set_mark, call, &mark);
	close(mark.file);
	return answer;
}
