/* Names to files. What a link says is resolved by the kernel below the root, and no device is ever opened. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "sftp.h"

enum { max_links = 40, max_tries = 128 };

static int root = -1, descriptors = -1;

void use_descriptors(int directory)
{
	descriptors = directory;
	root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
}

/* Not through /proc/PID/fd and the like either: what a process has open may be from anywhere. */
static int resolve(const char *path, int flags)
{
	struct open_how how = {
		.flags = (unsigned)(flags | O_CLOEXEC),
		.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS,
	};
	int fd = -1;

	for (int tries = 0; tries < max_tries; tries++) {
		fd = (int)syscall(SYS_openat2, root, *path ? path : "/", &how, sizeof(how));
		/* Something was moved while `..` was followed. */
		if (fd >= 0 || errno != EAGAIN)
			break;
	}
	return fd;
}

int look_up(const char *path, int flags)
{
	return resolve(path, O_PATH | flags);
}

int look_up_parent(const char *path, const char **name)
{
	static char parent[PATH_MAX], last[PATH_MAX];
	char *slash;
	size_t length;

	if (snprintf(parent, sizeof(parent), "/%s", path) >= (int)sizeof(parent)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	for (length = strlen(parent); length > 1 && parent[length - 1] == '/'; length--)
		parent[length - 1] = '\0';
	slash = strrchr(parent, '/');
	strcpy(last, slash + 1);
	slash[slash == parent ? 1 : 0] = '\0';
	if (!*last || strcmp(last, ".") == 0 || strcmp(last, "..") == 0) {
		errno = EBUSY;
		return -1;
	}
	*name = last;
	return resolve(parent, O_PATH | O_DIRECTORY);
}

int open_directory(const char *path)
{
	return resolve(path, O_RDONLY | O_DIRECTORY);
}

static const char *by_number(int fd)
{
	static char text[16];

	snprintf(text, sizeof(text), "%d", fd);
	return text;
}

int reopen(int fd, int flags)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return -1;
	if (!S_ISREG(st.st_mode)) {
		errno = S_ISDIR(st.st_mode) ? EISDIR : S_ISLNK(st.st_mode) ? ELOOP : ENXIO;
		return -1;
	}
	return openat(descriptors, by_number(fd), flags | O_CLOEXEC | O_NONBLOCK);
}

int change_mode(int fd, mode_t mode)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return -1;
	if (S_ISLNK(st.st_mode)) {
		errno = EOPNOTSUPP;
		return -1;
	}
	return fchmodat(descriptors, by_number(fd), mode & 07777, 0);
}

int change_times(int fd, const struct timespec times[2])
{
	return utimensat(fd, "", times, AT_EMPTY_PATH);
}

static int reopen_found(int found, int flags)
{
	int fd = reopen(found, flags), saved = errno;

	close(found);
	errno = saved;
	return fd;
}

/*
 * A link at the end is followed step by step: opening by name what somebody exchanges meanwhile could open a device, and
 * what is created is created where there was nothing.
 */
static int create_file(const char *path, int flags, mode_t mode)
{
	static char wanted[PATH_MAX], target[PATH_MAX], next[2 * PATH_MAX];
	const char *name;

	if (snprintf(wanted, sizeof(wanted), "%s", path) >= (int)sizeof(wanted)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	for (int links = 0; links < max_links; links++) {
		int parent, fd, found = -1, saved;
		struct stat in, link;
		ssize_t length;

		/* Only a directory's name may end in a slash. */
		if (*wanted && wanted[strlen(wanted) - 1] == '/') {
			errno = EISDIR;
			return -1;
		}
		parent = look_up_parent(wanted, &name);
		if (parent < 0) {
			if (errno == EBUSY)
				errno = EISDIR;
			return -1;
		}
		fd = openat(parent, name, flags | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);
		if (fd < 0 && errno == EEXIST && !(flags & O_EXCL)) {
			found = openat(parent, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
			/* It was there a moment ago. */
			if (found < 0 && errno == ENOENT) {
				close(parent);
				continue;
			}
		}
		saved = errno;
		if (fstat(parent, &in) < 0)
			in.st_mode = S_ISVTX | S_IWOTH;
		close(parent);
		errno = saved;
		if (fd >= 0 || found < 0)
			return fd;
		length = readlinkat(found, "", target, sizeof(target) - 1);
		if (length < 0 || fstat(found, &link) < 0)
			return reopen_found(found, flags & ~(O_CREAT | O_EXCL));
		close(found);
		/* What anybody may put into a common directory leads nowhere, as the kernel has it (fs.protected_symlinks). */
		if ((in.st_mode & S_ISVTX) && (in.st_mode & S_IWOTH) && link.st_uid != 0 && link.st_uid != in.st_uid) {
			errno = EACCES;
			return -1;
		}
		target[length] = '\0';
		if (*target == '/')
			snprintf(next, sizeof(next), "%s", target);
		else {
			char *slash = strrchr(wanted, '/');

			if (slash)
				slash[1] = '\0';
			snprintf(next, sizeof(next), "%s%s", slash ? wanted : "", target);
		}
		if (strlen(next) >= sizeof(wanted)) {
			errno = ENAMETOOLONG;
			return -1;
		}
		strcpy(wanted, next);
	}
	errno = ELOOP;
	return -1;
}

int open_file(const char *path, int flags, mode_t mode)
{
	int found;

	if (flags & O_CREAT)
		return create_file(path, flags, mode);
	found = look_up(path, 0);
	return found < 0 ? -1 : reopen_found(found, flags);
}
