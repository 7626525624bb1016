/*
 * Tells when devices of the host come or go: by the kernel's events, and by what is made and removed in the directory of
 * nodes. It says only that something changed; who hears it looks for himself.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <linux/netlink.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "runtime.h"

/* One change brings several events; what is made gets its owner a moment later. */
enum { settle_ms = 50, max_depth = 4 };

static const unsigned mask = IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO | IN_ONLYDIR;

/* Terminals and files in memory come and go all the time and are no devices. */
static bool skipped(const char *name)
{
	static const char *const names[] = { ".", "..", "pts", "shm", "mqueue", "hugepages", "fd" };

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (strcmp(name, names[i]) == 0)
			return true;
	return false;
}

static void watch(int notify, const char *dir, int depth)
{
	DIR *list = opendir(dir);
	struct dirent *entry;
	char path[PATH_MAX];

	inotify_add_watch(notify, dir, mask);
	while (list && (entry = readdir(list))) {
		if (entry->d_type != DT_DIR || depth >= max_depth || skipped(entry->d_name))
			continue;
		if (snprintf(path, sizeof(path), "%s/%s", dir, entry->d_name) < (int)sizeof(path))
			watch(notify, path, depth + 1);
	}
	if (list)
		closedir(list);
}

static int open_events(void)
{
	struct sockaddr_nl address = { .nl_family = AF_NETLINK, .nl_groups = 1 };
	int events = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_KOBJECT_UEVENT);

	if (events >= 0 && bind(events, (struct sockaddr *)&address, sizeof(address)) < 0) {
		close(events);
		return -1;
	}
	return events;
}

int devices(const char *dir)
{
	struct pollfd fds[] = {
		{ .fd = STDIN_FILENO, .events = POLLIN },
		{ .fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK), .events = POLLIN },
		{ .fd = open_events(), .events = POLLIN },
	};
	char buffer[16384];

	for (;;) {
		watch(fds[1].fd, dir, 0);
		if (poll(fds, 3, -1) < 0)
			continue;
		if (fds[0].revents)
			return 0;
		usleep(settle_ms * 1000);
		for (int i = 1; i < 3; i++)
			while (fds[i].fd >= 0 && read(fds[i].fd, buffer, sizeof(buffer)) > 0)
				;
		if (write(STDOUT_FILENO, "change\n", 7) < 0)
			return 0;
	}
}
