/* Files whose ids are those of the host, of one that keeps them shifted, get the ids they have inside. */
#define _GNU_SOURCE
#include <errno.h>
#include <ftw.h>
#include <linux/capability.h>
#include <search.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "runtime.h"

enum { max_ranges = 64, max_acl = 65536, acl_user = 0x02, acl_group = 0x08 };

struct range {
	bool users, groups;
	int64_t outside, inside, length;
};

struct file {
	dev_t dev;
	ino_t ino;
};

static struct range ranges[max_ranges];
static int count;
/* Files of more than one name that are done: their ids may look as if they were not. */
static void *done;

static uint32_t shifted(uint32_t id, bool user)
{
	for (int i = 0; i < count; i++) {
		const struct range *r = &ranges[i];

		if ((user ? r->users : r->groups) && id >= r->outside && id < r->outside + r->length)
			return (uint32_t)(id - r->outside + r->inside);
	}
	return id;
}

static int compare(const void *one, const void *other)
{
	const struct file *a = one, *b = other;

	if (a->dev != b->dev)
		return a->dev < b->dev ? -1 : 1;
	return a->ino < b->ino ? -1 : a->ino > b->ino;
}

/* Whether this is the first of its names. */
static bool first(const struct stat *st)
{
	struct file *file, **found;

	if (S_ISDIR(st->st_mode) || st->st_nlink < 2)
		return true;
	file = malloc(sizeof(*file));
	if (!file)
		return false;
	*file = (struct file){ st->st_dev, st->st_ino };
	found = tsearch(file, &done, compare);
	if (found && *found == file)
		return true;
	free(file);
	return false;
}

static int shift_acl(const char *path, const char *name)
{
	static unsigned char acl[max_acl];
	ssize_t size = lgetxattr(path, name, acl, sizeof(acl));

	if (size < 0)
		return errno == ENODATA || errno == ENOTSUP ? 0 : -1;
	/* A version, then entries of tag, rights and id; the kernel writes them little-endian. */
	for (ssize_t at = 4; at + 8 <= size; at += 8) {
		uint16_t tag = (uint16_t)(acl[at] | acl[at + 1] << 8);
		uint32_t id;

		if (tag != acl_user && tag != acl_group)
			continue;
		memcpy(&id, acl + at + 4, sizeof(id));
		id = shifted(le32toh(id), tag == acl_user);
		id = htole32(id);
		memcpy(acl + at + 4, &id, sizeof(id));
	}
	return lsetxattr(path, name, acl, (size_t)size, 0);
}

/* A change of owner takes them away. Those of a namespace's root become everybody's: its root is ours when it runs. */
static int restore_capabilities(const char *path, unsigned char *data, ssize_t size)
{
	struct vfs_ns_cap_data caps;

	if (size <= 0)
		return 0;
	if ((size_t)size == XATTR_CAPS_SZ_3) {
		uint32_t magic;

		memcpy(&caps, data, sizeof(caps));
		caps.rootid = htole32(shifted(le32toh(caps.rootid), true));
		magic = le32toh(caps.magic_etc);
		if (caps.rootid == 0) {
			caps.magic_etc = htole32((magic & ~VFS_CAP_REVISION_MASK) | VFS_CAP_REVISION_2);
			size = XATTR_CAPS_SZ_2;
		}
		memcpy(data, &caps, (size_t)size);
	}
	return lsetxattr(path, "security.capability", data, (size_t)size, 0);
}

static int visit(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	unsigned char caps[64];
	uint32_t uid = shifted(st->st_uid, true), gid = shifted(st->st_gid, false);
	bool link = S_ISLNK(st->st_mode);
	ssize_t size = -1;

	(void)ftw;
	if (type == FTW_NS || type == FTW_DNR) {
		errno = EACCES;
		goto failed;
	}
	if (!first(st))
		return 0;
	if (S_ISREG(st->st_mode))
		size = lgetxattr(path, "security.capability", caps, sizeof(caps));
	if ((uid != st->st_uid || gid != st->st_gid) && lchown(path, uid, gid) < 0)
		goto failed;
	if (!link && (st->st_mode & (S_ISUID | S_ISGID)) && chmod(path, st->st_mode & 07777) < 0)
		goto failed;
	if (restore_capabilities(path, caps, size) < 0)
		goto failed;
	if (!link && shift_acl(path, "system.posix_acl_access") < 0)
		goto failed;
	if (S_ISDIR(st->st_mode) && shift_acl(path, "system.posix_acl_default") < 0)
		goto failed;
	return 0;
failed:
	dprintf(STDERR_FILENO, "%s: %s\n", path, strerror(errno));
	return 1;
}

/* PATH RANGE...: `ug 100000 0 65536` as one argument: whose ids, the first on the host, the first inside, how many */
int shift(int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		struct range *r = &ranges[count];
		char whose[3];

		if (count == max_ranges ||
		    sscanf(argv[i], "%2s %ld %ld %ld", whose, &r->outside, &r->inside, &r->length) != 4) {
			dprintf(STDERR_FILENO, "not a range: %s\n", argv[i]);
			return 2;
		}
		r->users = strchr(whose, 'u') != NULL;
		r->groups = strchr(whose, 'g') != NULL;
		count++;
	}
	return nftw(argv[0], visit, 64, FTW_PHYS) == 0 ? 0 : 1;
}
