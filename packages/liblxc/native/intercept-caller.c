/* Seeing what a caller sees, and being no more than it is. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/securebits.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/fsuid.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "intercept.h"

enum { max_groups = 1024, overflow_id = 65534, lookup_ms = 5000 };

/* An id of the host as the caller's user namespace knows it. */
static unsigned inside(const struct call *call, const char *map, unsigned id)
{
	unsigned long first, host, count;
	unsigned found = overflow_id;
	int fd = open_in(call, "%s", map);
	FILE *file = fd < 0 ? NULL : fdopen(fd, "r");

	if (!file)
		return found;
	while (fscanf(file, "%lu %lu %lu", &first, &host, &count) == 3)
		if (id >= host && id - host < count)
			found = (unsigned)(first + (id - host));
	fclose(file);
	return found;
}

static size_t groups_of(const struct call *call, gid_t *groups)
{
	char line[16 * 1024];
	size_t count = 0;
	int fd = open_in(call, "status");
	FILE *file = fd < 0 ? NULL : fdopen(fd, "r");

	if (!file)
		return 0;
	while (fgets(line, sizeof(line), file)) {
		if (strncmp(line, "Groups:", 7) != 0)
			continue;
		for (char *word = strtok(line + 7, " \t\n"); word && count < max_groups; word = strtok(NULL, " \t\n"))
			groups[count++] = inside(call, "gid_map", (unsigned)strtoul(word, NULL, 10));
	}
	fclose(file);
	return count;
}

/* A program that it runs gets no more than one of the caller's own would. */
static bool limit_to(uint64_t capabilities, uint64_t bounding, bool no_new_rights)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2] = { 0 };

	for (int capability = 0; prctl(PR_CAPBSET_READ, capability, 0, 0, 0) >= 0; capability++)
		if (!(bounding & (1ULL << capability)) && prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) < 0)
			return false;
	if (no_new_rights && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return false;
	for (int i = 0; i < 2; i++)
		data[i].effective = data[i].permitted = (uint32_t)(capabilities >> (32 * i));
	return syscall(SYS_capset, &header, data) == 0;
}

bool become_caller(const struct call *call, bool all_namespaces)
{
	static const char *const others[] = { "ns/cgroup", "ns/ipc", "ns/uts", "ns/net", "ns/pid" };
	gid_t groups[max_groups];
	size_t count = groups_of(call, groups);
	uid_t uid = inside(call, "uid_map", call->uid);
	gid_t gid = inside(call, "gid_map", call->gid);
	int user = open_in(call, "ns/user"), mounts = open_in(call, "ns/mnt");
	int root = openat(call->proc, "root", O_PATH | O_CLOEXEC), cwd = openat(call->proc, "cwd", O_PATH | O_CLOEXEC);
	int rest[sizeof(others) / sizeof(*others)];

	for (size_t i = 0; all_namespaces && i < sizeof(others) / sizeof(*others); i++)
		if ((rest[i] = open_in(call, "%s", others[i])) < 0)
			return false;
	if (user < 0 || mounts < 0 || root < 0 || cwd < 0 || !still_waits(call))
		return false;
	if (setns(user, CLONE_NEWUSER) < 0 || setns(mounts, CLONE_NEWNS) < 0)
		return false;
	for (size_t i = 0; all_namespaces && i < sizeof(others) / sizeof(*others); i++)
		if (setns(rest[i], 0) < 0)
			return false;
	if (fchdir(root) < 0 || chroot(".") < 0 || fchdir(cwd) < 0)
		return false;
	/* What it may do goes by what it had, not by who it is. */
	if (prctl(PR_SET_SECUREBITS, SECBIT_NO_SETUID_FIXUP) < 0 || setgroups(count, groups) < 0 ||
	    setresgid(gid, gid, gid) < 0 || setresuid(uid, uid, uid) < 0 || !limit_to(call->capabilities, call->bounding, call->no_new_rights))
		return false;
	umask(call->mask);
	return true;
}

bool enter_mounts(const struct call *call)
{
	int mounts = open_in(call, "ns/mnt"), root = openat(call->proc, "root", O_PATH | O_CLOEXEC);
	int cwd = openat(call->proc, "cwd", O_PATH | O_CLOEXEC);

	return mounts >= 0 && root >= 0 && cwd >= 0 && still_waits(call) && setns(mounts, CLONE_NEWNS) == 0 &&
	       fchdir(root) == 0 && chroot(".") == 0 && fchdir(cwd) == 0;
}

/* Where it is, in every hierarchy: what may be opened and used there holds for us, too. */
bool join_cgroups(const struct call *call)
{
	char line[4096], path[8192];
	bool joined = true;
	int fd = open_in(call, "cgroup");
	FILE *file = fd < 0 ? NULL : fdopen(fd, "r"), *procs;

	if (!file)
		return false;
	while (fgets(line, sizeof(line), file)) {
		char *controllers = strchr(line, ':'), *name = controllers ? strchr(controllers + 1, ':') : NULL;

		if (!name)
			continue;
		*controllers++ = '\0';
		*name++ = '\0';
		name[strcspn(name, "\n")] = '\0';
		if (strncmp(controllers, "name=", 5) == 0)
			controllers += 5;
		if (!*controllers && access("/sys/fs/cgroup/unified/cgroup.procs", F_OK) == 0)
			controllers = (char *)"unified";
		snprintf(path, sizeof(path), "/sys/fs/cgroup/%s%s/cgroup.procs", controllers, name);
		procs = fopen(path, "we");
		if (!procs || fprintf(procs, "%d", getpid()) < 0)
			joined = false;
		if (procs && fclose(procs) != 0)
			joined = false;
	}
	fclose(file);
	return joined;
}

struct found {
	int error;
};

static int send_found(int socket, int error, int fd)
{
	char control[CMSG_SPACE(sizeof(int))] __attribute__((aligned(8))) = { 0 };
	struct found found = { error };
	struct iovec data = { &found, sizeof(found) };
	struct msghdr header = { .msg_iov = &data, .msg_iovlen = 1 };

	if (fd >= 0) {
		header.msg_control = control;
		header.msg_controllen = sizeof(control);
		CMSG_FIRSTHDR(&header)->cmsg_level = SOL_SOCKET;
		CMSG_FIRSTHDR(&header)->cmsg_type = SCM_RIGHTS;
		CMSG_FIRSTHDR(&header)->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(CMSG_FIRSTHDR(&header)), &fd, sizeof(int));
	}
	return sendmsg(socket, &header, MSG_NOSIGNAL) < 0;
}

static int receive_found(int socket)
{
	char control[CMSG_SPACE(sizeof(int))] __attribute__((aligned(8)));
	struct found found = { EIO };
	struct iovec data = { &found, sizeof(found) };
	struct msghdr header = { .msg_iov = &data, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof(control) };
	struct cmsghdr *passed;
	int fd = -1;

	if (recvmsg(socket, &header, MSG_CMSG_CLOEXEC) != sizeof(found)) {
		errno = EIO;
		return -1;
	}
	passed = CMSG_FIRSTHDR(&header);
	if (passed && passed->cmsg_type == SCM_RIGHTS)
		memcpy(&fd, CMSG_DATA(passed), sizeof(int));
	errno = fd < 0 && found.error == 0 ? EIO : found.error;
	return fd;
}

static int look_up(const struct call *call, int dirfd, const char *path, int flags, bool writable)
{
	int from = AT_FDCWD, fd;
	struct stat file;

	if (dirfd != AT_FDCWD && *path != '/') {
		char name[32];

		snprintf(name, sizeof(name), "fd/%d", dirfd);
		from = openat(call->proc, name, O_PATH | O_CLOEXEC);
		if (from < 0) {
			errno = EBADF;
			return -1;
		}
	}
	if (!become_caller(call, false)) {
		errno = EIO;
		return -1;
	}
	fd = openat(from, path, O_PATH | O_CLOEXEC | flags);
	if (fd < 0)
		return -1;
	/* Nobody inside has power over what belongs to nobody inside. */
	if (fstat(fd, &file) < 0 || file.st_uid == overflow_id || file.st_gid == overflow_id) {
		errno = EPERM;
		return -1;
	}
	if (writable && syscall(SYS_faccessat2, fd, "", W_OK | X_OK, AT_EACCESS | AT_EMPTY_PATH) < 0)
		return -1;
	return fd;
}

int resolve(const struct call *call, int dirfd, const char *path, int flags, bool writable)
{
	int sockets[2], fd = -1;
	bool spoke;
	pid_t child;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sockets) < 0)
		return -1;
	child = fork();
	if (child == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		fd = look_up(call, dirfd, path, flags, writable);
		_exit(send_found(sockets[1], fd < 0 ? errno : 0, fd));
	}
	close(sockets[1]);
	spoke = child > 0 && speaks(sockets[0], lookup_ms);
	errno = EIO;
	if (spoke)
		fd = receive_found(sockets[0]);
	close(sockets[0]);
	if (child > 0) {
		int saved = errno;

		part_with(child, spoke);
		errno = saved;
	}
	return fd;
}
