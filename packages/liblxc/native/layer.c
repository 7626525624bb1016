/*
 * lxd-ts-layer: puts one layer of an OCI image, a plain tarball on stdin, onto the files that those below it have made.
 *
 *   lxd-ts-layer ROOTFS
 *
 * ROOTFS is its root before it reads anything, so no name and no link in there leads out of it; it keeps the rights over
 * files and no others. Whiteouts take away what is from layers below and never what this one brings. Device nodes are
 * left out, as is all below dev: a container gets its /dev when it starts.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <linux/capability.h>
#include <search.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "layer.h"

enum {
	open_dirs = 64,
	/* For the paths that it remembers: millions. Whoever made the image says how many there are. */
	max_memory = 1 << 30,
};

struct directory {
	char *path;
	struct timespec mtime;
};

/* Paths that this layer has made or been in. */
static void *made;
static struct directory *directories;
static size_t directory_count, directory_room;

static int compare(const void *one, const void *other)
{
	return strcmp(one, other);
}

static bool is_made(const char *path)
{
	return tfind(path, &made, compare) != NULL;
}

static void remember(const char *path)
{
	if (!is_made(path))
		need(tsearch(need(strdup(path)), &made, compare));
}

static bool is_under(const char *path, const char *parent)
{
	size_t length = strlen(parent);

	return strncmp(path, parent, length) == 0 && path[length] == '/';
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *where)
{
	(void)st;
	(void)type;
	(void)where;
	if (remove(path) < 0 && errno != ENOENT)
		die("%s cannot be removed: %m", path);
	return 0;
}

static int remove_older(const char *path, const struct stat *st, int type, struct FTW *where)
{
	return is_made(path) ? 0 : remove_one(path, st, type, where);
}

static int remove_below(const char *path, const struct stat *st, int type, struct FTW *where)
{
	return where->level == 0 ? 0 : remove_older(path, st, type, where);
}

static void walk(const char *path, int (*each)(const char *, const struct stat *, int, struct FTW *))
{
	if (nftw(path, each, open_dirs, FTW_PHYS | FTW_DEPTH | FTW_MOUNT) < 0 && errno != ENOENT && errno != ENOTDIR)
		die("%s cannot be looked through: %m", path);
}

static void make_parents(const char *path)
{
	char parent[max_path];
	struct stat st;

	for (const char *slash = strchr(path, '/'); slash; slash = strchr(slash + 1, '/')) {
		memcpy(parent, path, (size_t)(slash - path));
		parent[slash - path] = '\0';
		if (mkdir(parent, 0755) < 0 && errno != EEXIST)
			die("%s cannot be made: %m", parent);
		if (stat(parent, &st) < 0 || !S_ISDIR(st.st_mode))
			die("%s is no directory", parent);
		remember(parent);
	}
}

/* Whether it was one. */
static bool white_out(const char *path)
{
	const char *slash = strrchr(path, '/');
	const char *name = slash ? slash + 1 : path;
	char target[max_path];

	if (strncmp(name, ".wh.", 4) != 0)
		return false;
	snprintf(target, sizeof(target), "%.*s", (int)(name - path), path);
	if (strcmp(name, ".wh..wh..opq") == 0) {
		if (slash)
			target[slash - path] = '\0';
		walk(slash ? target : ".", remove_below);
		return true;
	}
	name += 4;
	/* What AUFS keeps for itself. */
	if (strncmp(name, ".wh.", 4) == 0)
		return true;
	if (*name == '\0' || strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
		die("it has a whiteout of nothing: %s", path);
	snprintf(target + strlen(target), sizeof(target) - strlen(target), "%s", name);
	walk(target, remove_older);
	return true;
}

static void set_xattrs(const struct member *entry)
{
	for (int i = 0; i < entry->xattr_count; i++) {
		const struct xattr *x = &entry->xattrs[i];

		/* What only the host's own root may say means nothing in a container. */
		if (strncmp(x->name, "trusted.", 8) == 0)
			continue;
		if (lsetxattr(entry->path, x->name, x->value, x->size, 0) == 0 || errno == ENOTSUP)
			continue;
		if (errno == EPERM && strcmp(x->name, "security.capability") != 0)
			continue;
		die("attribute %s of %s cannot be set: %m", x->name, entry->path);
	}
}

static void set_owner(const struct member *entry)
{
	if (lchown(entry->path, (uid_t)entry->uid, (gid_t)entry->gid) < 0)
		die("the owner of %s cannot be set: %m", entry->path);
}

/* Its owner takes away bits of its mode, and both its attributes. */
static void set_all(const struct member *entry)
{
	const struct timespec times[2] = { entry->mtime, entry->mtime };

	set_owner(entry);
	if (entry->type != '2' && chmod(entry->path, entry->mode) < 0)
		die("the mode of %s cannot be set: %m", entry->path);
	set_xattrs(entry);
	if (utimensat(AT_FDCWD, entry->path, times, AT_SYMLINK_NOFOLLOW) < 0)
		die("the time of %s cannot be set: %m", entry->path);
}

static void make_file(const struct member *entry)
{
	static char buffer[1 << 18];
	int fd = open(entry->path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	uint64_t left = entry->size;

	if (fd < 0)
		die("%s cannot be made: %m", entry->path);
	while (left > 0) {
		size_t part = left < sizeof(buffer) ? (size_t)left : sizeof(buffer);

		read_all(buffer, part);
		for (size_t done = 0; done < part;) {
			ssize_t put = write(fd, buffer + done, part - done);

			if (put < 0 && errno == EINTR)
				continue;
			if (put < 0)
				die("%s cannot be written: %m", entry->path);
			done += (size_t)put;
		}
		left -= part;
	}
	skip(padded(entry->size) - entry->size);
	if (close(fd) < 0)
		die("%s cannot be written: %m", entry->path);
}

static void make_directory(const struct member *entry, bool there)
{
	if (!there && mkdir(entry->path, 0700) < 0)
		die("%s cannot be made: %m", entry->path);
	if (directory_count == directory_room) {
		directory_room = directory_room ? 2 * directory_room : 1024;
		directories = need(reallocarray(directories, directory_room, sizeof(*directories)));
	}
	/* What comes into it changes its time. */
	directories[directory_count++] = (struct directory){ .path = need(strdup(entry->path)), .mtime = entry->mtime };
}

static void make_link(const struct member *entry)
{
	char target[max_path];

	clean(target, entry->link, "the target of a link");
	if (is_under(target, "dev"))
		return;
	if (linkat(AT_FDCWD, target, AT_FDCWD, entry->path, 0) < 0)
		die("%s cannot be made a link to %s: %m", entry->path, target);
}

static void make(const struct member *entry)
{
	bool is_file = entry->type == '0' || entry->type == '\0' || entry->type == '7';
	bool is_dir = entry->type == '5';
	char target[max_path];
	struct stat st;
	bool there;

	if (strcmp(entry->path, ".") == 0 && !is_dir)
		die("its root is no directory");
	if (entry->type == '3' || entry->type == '4' || is_under(entry->path, "dev") || white_out(entry->path)) {
		skip(is_file ? padded(entry->size) : 0);
		return;
	}
	if (entry->type == '1') {
		clean(target, entry->link, "the target of a link");
		if (strcmp(target, entry->path) == 0)
			return;
	}
	make_parents(entry->path);
	there = lstat(entry->path, &st) == 0;
	if (there && !(is_dir && S_ISDIR(st.st_mode))) {
		walk(entry->path, remove_one);
		there = false;
	}
	remember(entry->path);
	if (is_file)
		make_file(entry);
	else if (is_dir)
		make_directory(entry, there);
	else if (entry->type == '1') {
		make_link(entry);
		return;
	} else if (entry->type == '2') {
		if (symlink(entry->link, entry->path) < 0)
			die("%s cannot be made: %m", entry->path);
	} else if (entry->type == '6') {
		if (mkfifo(entry->path, 0600) < 0)
			die("%s cannot be made: %m", entry->path);
	} else
		die("%s is of a kind (%d) that is not known here", entry->path, entry->type);
	set_all(entry);
}

static void set_directory_times(void)
{
	while (directory_count > 0) {
		const struct directory *directory = &directories[--directory_count];
		const struct timespec times[2] = { directory->mtime, directory->mtime };
		struct stat st;

		/* One that a later entry took away has no time. */
		if (lstat(directory->path, &st) == 0 && S_ISDIR(st.st_mode) &&
		    utimensat(AT_FDCWD, directory->path, times, AT_SYMLINK_NOFOLLOW) < 0)
			die("the time of %s cannot be set: %m", directory->path);
	}
}

static void keep_rights_over_files(void)
{
	const uint32_t kept = 1U << CAP_CHOWN | 1U << CAP_DAC_OVERRIDE | 1U << CAP_DAC_READ_SEARCH | 1U << CAP_FOWNER |
			      1U << CAP_FSETID | 1U << CAP_SETFCAP;
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2] = { { .effective = kept, .permitted = kept } };
	const struct rlimit memory = { max_memory, max_memory };

	if (setrlimit(RLIMIT_AS, &memory) < 0 || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || syscall(SYS_capset, &header, data) < 0)
		die("rights cannot be given up: %m");
}

int main(int argc, char **argv)
{
	static struct member member;
	char rest[1 << 16];
	int root;

	if (argc != 2) {
		fputs("usage: lxd-ts-layer ROOTFS (run by lxd-tsd)\n", stderr);
		return 2;
	}
	root = open(argv[1], O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (root < 0 || fchdir(root) < 0 || chroot(".") < 0 || chdir("/") < 0)
		die("%s cannot become its root: %m", argv[1]);
	close(root);
	keep_rights_over_files();
	umask(0);
	while (next_member(&member))
		make(&member);
	set_directory_times();
	/* Whoever sends it counts all of it. */
	while (read_some(rest, sizeof(rest)) > 0)
		;
	return 0;
}
