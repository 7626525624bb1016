/*
 * Limits of directories where the filesystem counts by project (ext4, xfs).
 *
 *   lxd-ts-quota limit DIRECTORY BYTES    what is in it counts against this from now on; 0: no limit
 *   lxd-ts-quota used DIRECTORY...        a line for each: how many bytes count, `-` where nothing is counted
 *
 * Exits 0, 2 when the filesystem cannot, or 1 and says why on stderr.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <linux/quota.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Below it people have projects of their own. */
enum { first_project = 10000, quota_block = 1024 };

static int manage(int fd, int command, uint32_t project, struct if_dqblk *limits)
{
	return (int)syscall(SYS_quotactl_fd, fd, QCMD(command, PRJQUOTA), project, limits);
}

static int join_one(int fd, uint32_t project, bool directory)
{
	struct fsxattr attributes;

	if (ioctl(fd, FS_IOC_FSGETXATTR, &attributes) < 0)
		return -1;
	if (attributes.fsx_projid == project && (!directory || (attributes.fsx_xflags & FS_XFLAG_PROJINHERIT)))
		return 0;
	attributes.fsx_projid = project;
	if (directory)
		attributes.fsx_xflags |= FS_XFLAG_PROJINHERIT;
	return ioctl(fd, FS_IOC_FSSETXATTR, &attributes);
}

/* Of files and directories, as the kernel has it; nothing is followed, and what is mounted inside is another's. */
static int join_below(int fd, uint32_t project, dev_t dev)
{
	DIR *dir = fdopendir(fd);
	struct dirent *entry;
	int result = 0;

	if (!dir) {
		close(fd);
		return -1;
	}
	if (join_one(dirfd(dir), project, true) < 0)
		result = -1;
	while (result == 0 && (errno = 0, entry = readdir(dir))) {
		struct stat st;
		int child;

		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		if (entry->d_type != DT_REG && entry->d_type != DT_DIR && entry->d_type != DT_UNKNOWN)
			continue;
		child = openat(dirfd(dir), entry->d_name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
		if (child < 0) {
			/* Gone meanwhile, or a link, a socket, a device of nobody. */
			if (errno != ENOENT && errno != ELOOP && errno != ENXIO && errno != ENODEV)
				result = -1;
			continue;
		}
		if (fstat(child, &st) < 0 || st.st_dev != dev || (!S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode))) {
			close(child);
			continue;
		}
		if (S_ISDIR(st.st_mode)) {
			result = join_below(child, project, dev);
		} else {
			result = join_one(child, project, false);
			close(child);
		}
	}
	if (result == 0 && errno != 0)
		result = -1;
	if (result < 0) {
		int saved = errno;

		closedir(dir);
		errno = saved;
		return -1;
	}
	return closedir(dir);
}

struct counted {
	int fd;
	dev_t dev;
	uint32_t project;
	/* All of it is counted already. */
	bool joined;
	struct if_dqblk now;
};

static int complain(const char *path)
{
	dprintf(STDERR_FILENO, "%s: %s\n", path, strerror(errno));
	return 1;
}

/* 0, or the status to exit with. */
static int look(const char *path, struct counted *counted)
{
	struct fsxattr attributes;
	struct stat st;

	counted->fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (counted->fd < 0 || fstat(counted->fd, &st) < 0)
		return complain(path);
	/* A directory's number is its own as long as it is there, under whatever name. */
	counted->project = first_project + (uint32_t)(st.st_ino % (UINT32_MAX - first_project));
	counted->dev = st.st_dev;
	if (ioctl(counted->fd, FS_IOC_FSGETXATTR, &attributes) < 0 ||
	    manage(counted->fd, Q_GETQUOTA, counted->project, &counted->now) < 0) {
		/* Nobody has counted anything for it yet. */
		if (errno != ENOENT) {
			complain(path);
			return 2;
		}
		counted->now = (struct if_dqblk){ 0 };
	}
	counted->joined = attributes.fsx_projid == counted->project;
	return 0;
}

static int limit(const char *path, uint64_t bytes)
{
	struct counted counted;
	struct if_dqblk limits = { .dqb_bhardlimit = (bytes + quota_block - 1) / quota_block, .dqb_valid = QIF_BLIMITS };
	int status = look(path, &counted);

	if (status != 0 || (bytes == 0 && !counted.joined))
		return status;
	if (manage(counted.fd, Q_SETQUOTA, counted.project, &limits) < 0)
		return complain(path);
	/* Begun anew every time: what was cut off left some of it uncounted. */
	return join_below(counted.fd, counted.project, counted.dev) < 0 ? complain(path) : 0;
}

int main(int argc, char **argv)
{
	const char *verb = argc > 2 ? argv[1] : "";

	if (strcmp(verb, "limit") == 0 && argc == 4)
		return limit(argv[2], strtoull(argv[3], NULL, 10));
	if (strcmp(verb, "used") == 0) {
		for (int i = 2; i < argc; i++) {
			struct counted counted;
			int status = look(argv[i], &counted);

			if (status == 2)
				return status;
			if (status == 0 && counted.joined)
				printf("%llu\n", (unsigned long long)counted.now.dqb_curspace);
			else
				puts("-");
			close(counted.fd);
		}
		return 0;
	}
	dprintf(STDERR_FILENO, "usage: lxd-ts-quota limit|used … (run by lxd-tsd)\n");
	return 2;
}
