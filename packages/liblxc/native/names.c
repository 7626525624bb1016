/* What SFTP asks for by name: of what lies at a path, or shall. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "requests.h"

int set_attributes(const char *path, const struct attributes *set, int flags)
{
	int fd = look_up(path, flags);
	int failed = fd < 0 ? -1 : apply_attributes(fd, set), saved = errno;

	if (fd >= 0)
		close(fd);
	errno = saved;
	return failed;
}

/* Two names, each in its directory, looked up one after the other. */
int with_two(const char *from, const char *to, int (*act)(int, const char *, int, const char *))
{
	char first[NAME_MAX + 1];
	const char *name;
	int one = look_up_parent(from, &name), other, failed, saved;

	if (one < 0)
		return -1;
	if (strlen(name) > NAME_MAX) {
		close(one);
		errno = ENAMETOOLONG;
		return -1;
	}
	strcpy(first, name);
	other = look_up_parent(to, &name);
	failed = other < 0 ? -1 : act(one, first, other, name);
	saved = errno;
	close(one);
	if (other >= 0)
		close(other);
	errno = saved;
	return failed;
}

static int rename_new(int from, const char *name, int to, const char *new_name)
{
	return renameat2(from, name, to, new_name, RENAME_NOREPLACE);
}

int link_hard(int from, const char *name, int to, const char *new_name)
{
	return linkat(from, name, to, new_name, 0);
}

static int in_parent(const char *path, int (*act)(int, const char *, const void *), const void *data)
{
	const char *name;
	int parent = look_up_parent(path, &name);
	int failed = parent < 0 ? -1 : act(parent, name, data), saved = errno;

	if (parent >= 0)
		close(parent);
	errno = saved;
	return failed;
}

static int make_directory(int parent, const char *name, const void *mode)
{
	return mkdirat(parent, name, *(const mode_t *)mode);
}

static int make_link(int parent, const char *name, const void *target)
{
	return symlinkat(target, parent, name);
}

static int remove_name(int parent, const char *name, const void *flags)
{
	return unlinkat(parent, name, *(const int *)flags);
}

static void answer_name(uint32_t id, const char *name)
{
	begin(104, id);
	put_u32(1);
	put_text(name);
	put_text(name);
	put_u32(0);
}

static void link_request(uint32_t id, const char *path)
{
	char target[PATH_MAX];
	int fd = look_up(path, O_NOFOLLOW);
	ssize_t length = fd < 0 ? -1 : readlinkat(fd, "", target, sizeof(target) - 1);
	/* How the kernel says that it is no link, where no name is given. */
	int saved = fd >= 0 && errno == ENOENT ? EINVAL : errno;

	if (fd >= 0)
		close(fd);
	errno = saved;
	if (length < 0) {
		answer_errno(id);
		return;
	}
	target[length] = '\0';
	answer_name(id, target);
}

/* By its text alone: there need be nothing of that name. */
static void real_path_request(uint32_t id, const char *path)
{
	char clean[PATH_MAX + 1] = "";
	size_t used = 0;

	while (*path) {
		size_t length = strcspn(path, "/");

		if (length == 2 && strncmp(path, "..", 2) == 0) {
			while (used > 0 && clean[--used] != '/')
				;
		} else if (length > 0 && !(length == 1 && *path == '.')) {
			clean[used++] = '/';
			memcpy(clean + used, path, length);
			used += length;
		}
		clean[used] = '\0';
		path += length + (path[length] == '/');
	}
	answer_name(id, used > 0 ? clean : "/");
}

void path_request(uint8_t type, uint32_t id, struct reader *reader)
{
	const char *path = read_text(reader, 0), *other = type == 18 || type == 20 ? read_text(reader, 1) : NULL;
	struct attributes set = type == 9 || type == 14 ? read_attributes(reader) : (struct attributes){ 0 };
	mode_t mode = (set.flags & ATTR_MODE) ? set.mode & 07777 : 0755;
	int fd = -1, flags;

	if (reader->bad) {
		answer_status(id, FX_BAD_MESSAGE, "Bad message");
		return;
	}
	switch (type) {
	case 7: /* LSTAT */
	case 17: /* STAT */
		fd = look_up(path, type == 7 ? O_NOFOLLOW : 0);
		answer_stat(id, fd);
		break;
	case 9: /* SETSTAT */
		answer_done(id, set_attributes(path, &set, 0));
		return;
	case 11: /* OPENDIR */
		fd = open_directory(path);
		if (fd < 0)
			answer_errno(id);
		else
			answer_handle(id, fd, fdopendir(fd));
		return;
	case 13: /* REMOVE */
	case 15: /* RMDIR */
		flags = type == 15 ? AT_REMOVEDIR : 0;
		answer_done(id, in_parent(path, remove_name, &flags));
		return;
	case 14: /* MKDIR */
		answer_done(id, in_parent(path, make_directory, &mode));
		return;
	case 16: /* REALPATH */
		real_path_request(id, path);
		return;
	case 18: /* RENAME */
		answer_done(id, with_two(path, other, rename_new));
		return;
	case 19: /* READLINK */
		link_request(id, path);
		return;
	case 20: /* SYMLINK, as OpenSSH has it: what it says, then where it is */
		answer_done(id, in_parent(other, make_link, path));
		return;
	}
	if (fd >= 0)
		close(fd);
}
