/* User namespaces that map ids, for mounts and for processes. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "runtime.h"

static int map_ids(pid_t pid, const char *kind, char **ranges, char which)
{
	char path[64], text[4096] = "";
	size_t used = 0;
	int fd, wrong;

	for (; *ranges; ranges++) {
		if (**ranges != which)
			continue;
		used += (size_t)snprintf(text + used, sizeof(text) - used, "%s\n", *ranges + 2);
		if (used >= sizeof(text)) {
			errno = E2BIG;
			return -1;
		}
	}
	snprintf(path, sizeof(path), "/proc/%d/%s", pid, kind);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return -1;
	wrong = write(fd, text, used) != (ssize_t)used;
	close(fd);
	return wrong ? -1 : 0;
}

int make_user_namespace(char **ranges)
{
	int ready[2], fd = -1;
	char path[64], byte;
	pid_t child;

	if (pipe2(ready, O_CLOEXEC) < 0)
		return -1;
	child = fork();
	if (child == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (unshare(CLONE_NEWUSER) == 0 && write(ready[1], "+", 1) == 1)
			pause();
		_exit(1);
	}
	close(ready[1]);
	if (child > 0 && read(ready[0], &byte, 1) == 1 && map_ids(child, "uid_map", ranges, 'u') == 0 &&
	    map_ids(child, "gid_map", ranges, 'g') == 0) {
		snprintf(path, sizeof(path), "/proc/%d/ns/user", child);
		fd = open(path, O_RDONLY | O_CLOEXEC);
	}
	close(ready[0]);
	if (child > 0) {
		int saved = errno;

		kill(child, SIGKILL);
		waitpid(child, NULL, 0);
		errno = saved;
	}
	return fd;
}
