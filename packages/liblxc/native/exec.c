/* Runs a command in a container. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <lxc/attach_options.h>

#include "runtime.h"

enum { max_request = 16 * 1024 * 1024 };

struct request {
	char **argv, **env;
	bool terminal;
	/* Those of init, by resource; `limited` tells which are known. */
	struct rlimit limits[RLIM_NLIMITS];
	bool limited[RLIM_NLIMITS];
};

static rlim_t limit(const char *text)
{
	return strcmp(text, "unlimited") == 0 ? RLIM_INFINITY : (rlim_t)strtoull(text, NULL, 10);
}

/* What its limits.kernel.* made of init holds for every command. prlimit() would ask for rights that few have. */
static void read_limits(pid_t init, struct request *request)
{
	static const char *const names[RLIM_NLIMITS] = {
		[RLIMIT_CPU] = "Max cpu time",
		[RLIMIT_FSIZE] = "Max file size",
		[RLIMIT_DATA] = "Max data size",
		[RLIMIT_STACK] = "Max stack size",
		[RLIMIT_CORE] = "Max core file size",
		[RLIMIT_RSS] = "Max resident set",
		[RLIMIT_NPROC] = "Max processes",
		[RLIMIT_NOFILE] = "Max open files",
		[RLIMIT_MEMLOCK] = "Max locked memory",
		[RLIMIT_AS] = "Max address space",
		[RLIMIT_LOCKS] = "Max file locks",
		[RLIMIT_SIGPENDING] = "Max pending signals",
		[RLIMIT_MSGQUEUE] = "Max msgqueue size",
		[RLIMIT_NICE] = "Max nice priority",
		[RLIMIT_RTPRIO] = "Max realtime priority",
		[RLIMIT_RTTIME] = "Max realtime timeout",
	};
	char line[256], soft[24], hard[24];
	FILE *file;

	snprintf(line, sizeof(line), "/proc/%d/limits", init);
	file = fopen(line, "re");
	if (!file)
		return;
	while (fgets(line, sizeof(line), file))
		for (int i = 0; i < RLIM_NLIMITS; i++) {
			size_t length = strlen(names[i]);

			if (strncmp(line, names[i], length) != 0 || line[length] != ' ')
				continue;
			if (sscanf(line + length, "%23s %23s", soft, hard) != 2)
				continue;
			request->limits[i] = (struct rlimit){ .rlim_cur = limit(soft), .rlim_max = limit(hard) };
			request->limited[i] = true;
		}
	fclose(file);
}

/* u32 size of what follows, u32 count of arguments, u32 count of variables, then each as text that ends in NUL. */
static bool read_request(struct request *request)
{
	uint32_t head[3];
	char *text, *end;

	if (!read_exactly(head, sizeof(head)) || head[0] > max_request || head[1] == 0)
		return false;
	if ((uint64_t)head[1] + head[2] > head[0])
		return false;
	text = malloc(head[0] + 1);
	request->argv = calloc(head[1] + 1, sizeof(char *));
	request->env = calloc(head[2] + 1, sizeof(char *));
	if (!text || !request->argv || !request->env || !read_exactly(text, head[0]))
		return false;
	end = text + head[0];
	*end = '\0';
	for (uint32_t i = 0; i < head[1] + head[2]; i++) {
		if (text >= end)
			return false;
		if (i < head[1])
			request->argv[i] = text;
		else
			request->env[i - head[1]] = text;
		text += strlen(text) + 1;
	}
	return true;
}

/* In the container, as the user asked for, on the right descriptors. */
static int run(void *data)
{
	struct request *request = data;
	struct pollfd daemon = { .fd = control, .events = POLLRDHUP };

	/* It may have taken long to get here, into a frozen container until it was thawed: not wanted any more. */
	if (poll(&daemon, 1, 0) > 0)
		_exit(1);
	setsid();
	if (request->terminal)
		ioctl(STDIN_FILENO, TIOCSCTTY, 0);
	signal(SIGPIPE, SIG_DFL);
	/* One that is higher than ours may be refused: then it stays. */
	for (int i = 0; i < RLIM_NLIMITS; i++)
		if (request->limited[i])
			setrlimit(i, &request->limits[i]);
	umask(0022);
	execvp(request->argv[0], request->argv);
	_exit(errno == ENOENT || errno == ENOTDIR ? 127 : 126);
}

static unsigned mapped(pid_t init, const char *file, unsigned inside)
{
	unsigned long first, host, count;
	unsigned found = inside;
	char path[64];
	FILE *map;

	snprintf(path, sizeof(path), "/proc/%d/%s", init, file);
	map = fopen(path, "re");
	if (!map)
		return inside;
	while (fscanf(map, "%lu %lu %lu", &first, &host, &count) == 3)
		if (inside >= first && inside - first < count)
			found = (unsigned)(host + (inside - first));
	fclose(map);
	return found;
}

uid_t on_host(pid_t init, uid_t inside)
{
	return mapped(init, "uid_map", inside);
}

gid_t group_on_host(pid_t init, gid_t inside)
{
	return mapped(init, "gid_map", inside);
}

/* A terminal of the container's own devpts: one of the host's would be no terminal inside. */
static int open_terminal(struct lxc_container *container, int *slave)
{
	int devpts = container->devpts_fd(container);
	int master = devpts < 0 ? -1 : openat(devpts, "ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC);
	int unlocked = 0;

	if (devpts >= 0)
		close(devpts);
	if (master < 0 || ioctl(master, TIOCSPTLCK, &unlocked) < 0)
		return -1;
	*slave = ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
	return *slave < 0 ? -1 : master;
}

int exec(char **args, char **argv)
{
	lxc_attach_options_t options = LXC_ATTACH_OPTIONS_DEFAULT;
	struct lxc_container *container = lxc_container_new(args[1], args[0]);
	pid_t child = -1, init = container ? container->init_pid(container) : -1;
	struct request request = { 0 };
	int columns = atoi(args[5]), master = -1, slave = -1;
	bool sealed = true;
	uid_t owner;

	/* Where root inside is root outside, it must not reach our file through the process that enters. */
	if (init > 0 && on_host(init, 0) == 0 && !run_sealed(argv))
		sealed = false;
	/* Before anything is refused: a daemon that could not write it all would not read why. */
	if (!read_request(&request))
		return fail("the request was cut off");
	if (init <= 0)
		return fail("the container is not running");
	if (!sealed)
		return fail("no sealed copy could be run");

	read_limits(init, &request);
	options.uid = (uid_t)strtoul(args[2], NULL, 10);
	options.gid = (gid_t)strtoul(args[3], NULL, 10);
	options.initial_cwd = args[4];
	options.env_policy = LXC_ATTACH_CLEAR_ENV;
	options.extra_env_vars = request.env;
	request.terminal = columns > 0;
	if (request.terminal) {
		master = open_terminal(container, &slave);
		if (master < 0)
			return fail("no terminal could be opened in the container: %s", strerror(errno));
		resize(master, (unsigned)columns, (unsigned)atoi(args[6]));
		options.stdin_fd = options.stdout_fd = options.stderr_fd = slave;
	}
	/* A terminal or a pipe may also be opened by name (/dev/stderr), by its owner. */
	owner = on_host(init, options.uid);
	for (int fd = 0; fd < 3; fd++)
		if (fchown(request.terminal ? slave : fd, owner, (gid_t)-1) < 0)
			return fail("fchown: %s", strerror(errno));

	entering = getpid();
	if (container->attach(container, run, &request, &options, &child) < 0)
		/* liblxc keeps no errno for it. */
		return fail("the container could not be entered; a limit of processes or memory may be reached");
	dprintf(control, "pid %d\n", child);
	/* The last reader and writer of the streams must be the command. */
	if (request.terminal)
		close(slave);
	else
		for (int fd = 0; fd < 3; fd++)
			close(fd);
	serve(master, child, (int)syscall(SYS_pidfd_open, child, 0));
	return 0;
}
