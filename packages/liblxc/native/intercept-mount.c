/* mount: filesystems that the administrator trusts the container with, and those that a FUSE program mounts instead. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/capability.h>
#include <linux/mount.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "intercept.h"

enum { max_type = 64, page = 4096 };

struct wanted {
	char source[PATH_MAX], target[PATH_MAX], type[max_type], options[page];
	unsigned long flags;
	bool shift;
	char program[PATH_MAX];
};

/* Flags of the mount itself, and of the filesystem as its options. */
static const struct {
	unsigned long flag;
	unsigned attribute;
	const char *option;
} known[] = {
	{ MS_RDONLY, MOUNT_ATTR_RDONLY, "ro" },
	{ MS_NOSUID, MOUNT_ATTR_NOSUID, NULL },
	{ MS_NODEV, MOUNT_ATTR_NODEV, NULL },
	{ MS_NOEXEC, MOUNT_ATTR_NOEXEC, NULL },
	{ MS_NOATIME, MOUNT_ATTR_NOATIME, NULL },
	{ MS_STRICTATIME, MOUNT_ATTR_STRICTATIME, NULL },
	{ MS_NODIRATIME, MOUNT_ATTR_NODIRATIME, NULL },
	{ MS_SYNCHRONOUS, 0, "sync" },
	{ MS_DIRSYNC, 0, "dirsync" },
	{ MS_LAZYTIME, 0, "lazytime" },
};

static const unsigned long other_kinds = MS_REMOUNT | MS_BIND | MS_MOVE | MS_SHARED | MS_PRIVATE | MS_SLAVE | MS_UNBINDABLE;

/* The word of a list that is `name`, or begins with `name=`: what follows it there, up to the next comma. */
static bool listed(const char *list, const char *name, char *value, size_t room)
{
	size_t length = strlen(name);

	for (const char *at = list; *at; at += strcspn(at, ","), at += *at == ',') {
		size_t word = strcspn(at, ",");

		if (word < length || strncmp(at, name, length) != 0)
			continue;
		if (!value && word == length)
			return true;
		if (value && word > length + 1 && at[length] == '=' && word - length - 1 < room) {
			memcpy(value, at + length + 1, word - length - 1);
			value[word - length - 1] = '\0';
			return true;
		}
	}
	return false;
}

static bool configure(int context, char *options)
{
	for (char *save = NULL, *option = strtok_r(options, ",", &save); option; option = strtok_r(NULL, ",", &save)) {
		char *value = strchr(option, '=');

		if (value)
			*value++ = '\0';
		if (syscall(SYS_fsconfig, context, value ? FSCONFIG_SET_STRING : FSCONFIG_SET_FLAG, option, value, 0) < 0)
			return false;
	}
	return true;
}

static struct answer mount_it(const struct call *call, void *data)
{
	struct wanted *wanted = data;
	struct mount_attr shift = { .attr_set = MOUNT_ATTR_IDMAP };
	unsigned attributes = MOUNT_ATTR_NODEV;
	int context, tree, users = open_in(call, "ns/user");

	/* Its cgroup says which disks it may open; names are its own. */
	if (users < 0 || !join_cgroups(call) || !enter_mounts(call))
		return failed(EIO);
	context = (int)syscall(SYS_fsopen, wanted->type, FSOPEN_CLOEXEC);
	if (context < 0)
		return failed(errno);
	if (*wanted->source && syscall(SYS_fsconfig, context, FSCONFIG_SET_STRING, "source", wanted->source, 0) < 0)
		return failed(errno);
	for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++) {
		if (!(wanted->flags & known[i].flag))
			continue;
		attributes |= known[i].attribute;
		if (known[i].option && syscall(SYS_fsconfig, context, FSCONFIG_SET_FLAG, known[i].option, NULL, 0) < 0)
			return failed(errno);
	}
	if (!configure(context, wanted->options) || syscall(SYS_fsconfig, context, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
		return failed(errno);
	tree = (int)syscall(SYS_fsmount, context, FSMOUNT_CLOEXEC, attributes);
	if (tree < 0)
		return failed(errno);
	shift.userns_fd = (unsigned)users;
	if (wanted->shift && syscall(SYS_mount_setattr, tree, "", AT_EMPTY_PATH, &shift, sizeof(shift)) < 0)
		return failed(errno);
	if (!still_waits(call))
		return failed(EINTR);
	if (syscall(SYS_move_mount, tree, "", AT_FDCWD, wanted->target, MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_SYMLINKS) < 0)
		return failed(errno);
	return done(0);
}

/* The program is the caller's child in all but name: its namespaces, cgroups and rights. */
static struct answer mount_by_program(const struct call *call, void *data)
{
	struct wanted *wanted = data;
	char options[page + 64];
	int status, null;
	pid_t child;

	snprintf(options, sizeof(options), "%s%s%s", wanted->flags & MS_RDONLY ? "ro" : "rw", *wanted->options ? "," : "",
		 wanted->options);
	if (!join_cgroups(call) || !become_caller(call, true))
		return failed(EIO);
	child = fork();
	if (child == 0) {
		char *const args[] = { wanted->program, wanted->source, wanted->target, (char *)"-o", options, NULL };
		char *const environment[] = { (char *)"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", NULL };

		null = open("/dev/null", O_RDWR);
		for (int fd = 0; null >= 0 && fd < 3; fd++)
			dup2(null, fd);
		syscall(SYS_close_range, 3, ~0U, 0);
		setsid();
		/* Who it becomes counts again. */
		prctl(PR_SET_SECUREBITS, 0);
		execvpe(wanted->program, args, environment);
		_exit(127);
	}
	if (child < 0 || waitpid(child, &status, 0) < 0)
		return failed(EIO);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 127)
		return failed(ENODEV);
	return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? done(0) : failed(EINVAL);
}

struct answer on_mount(const struct call *call, const struct settings *settings)
{
	static struct wanted wanted;
	const __u64 *args = call->notif->data.args;
	bool by_program;

	memset(&wanted, 0, sizeof(wanted));
	wanted.flags = args[3];
	if ((wanted.flags & MS_MGC_MSK) == MS_MGC_VAL)
		wanted.flags &= ~(unsigned long)MS_MGC_MSK;
	if ((wanted.flags & other_kinds) || !capable_of(call, CAP_SYS_ADMIN) || !args[2] ||
	    !read_text(call, args[2], wanted.type, sizeof(wanted.type)))
		return pass_on();
	by_program = listed(settings->fuse, wanted.type, wanted.program, sizeof(wanted.program));
	if (!by_program && !listed(settings->mount, wanted.type, NULL, 0))
		return pass_on();
	if ((args[0] && !read_text(call, args[0], wanted.source, sizeof(wanted.source))) ||
	    !read_text(call, args[1], wanted.target, sizeof(wanted.target)) ||
	    (args[4] && !read_text(call, args[4], wanted.options, sizeof(wanted.options))))
		return failed(EFAULT);
	wanted.shift = settings->shift;
	return apart(by_program ? mount_by_program : mount_it, call, &wanted);
}
