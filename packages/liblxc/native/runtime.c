/*
 * lxd-ts-runtime: what forks, or enters a container, happens in this small process and not in the daemon.
 *
 *   lxd-ts-runtime start   LXCPATH NAME CONFIG LOGFILE LEVEL   becomes the container's monitor; exits 0 when it runs
 *   lxd-ts-runtime exec    LXCPATH NAME UID GID CWD COLUMNS ROWS   COLUMNS 0: stdin, stdout, stderr are the command's own
 *   lxd-ts-runtime console LXCPATH NAME COLUMNS ROWS   stdin and stdout are joined to the container's console
 *
 * Descriptor 3 of exec and console is a socket to the daemon. For exec it first brings the command and its environment
 * (see read_request), later lines `signal N` and `resize COLUMNS ROWS`; lines `pid N`, `exit N`, `error TEXT` go back.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include <lxc/attach_options.h>
#include <lxc/lxccontainer.h>

enum { control = 3, max_request = 16 * 1024 * 1024 };

static int fail(const char *format, ...)
{
	char text[512];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	/* A newline would end the message early. */
	for (char *at = text; *at; at++)
		if (*at == '\n')
			*at = ' ';
	dprintf(control, "error %s\n", text);
	return 1;
}

/* ---- start ---- */

static int start(char **args)
{
	struct lxc_log log = { .name = args[1], .lxcpath = args[0], .file = args[3], .level = args[4], .quiet = true };
	struct lxc_container *container;
	int null;

	/* Before liblxc opens anything: what it has open must stay open, what we were given must not. */
	close_range(3, ~0U, 0);
	null = open("/dev/null", O_RDWR | O_CLOEXEC);
	for (int fd = 0; fd < 3; fd++)
		dup2(null, fd);
	setsid();
	umask(0022);
	if (chdir("/") < 0)
		return 1;

	lxc_log_init(&log);
	container = lxc_container_new(args[1], args[0]);
	if (!container)
		return 1;
	container->clear_config(container);
	if (!container->load_config(container, args[2]))
		return 1;
	container->want_daemonize(container, true);
	return container->start(container, 0, NULL) ? 0 : 1;
}

/* ---- terminals ---- */

static void resize(int fd, unsigned columns, unsigned rows)
{
	struct winsize size = { .ws_col = (unsigned short)columns, .ws_row = (unsigned short)rows };

	if (columns && rows)
		ioctl(fd, TIOCSWINSZ, &size);
}

/* Lines from the daemon. Returns false when it is gone. */
static bool read_control(int master, pid_t child)
{
	static char line[128];
	static size_t used;
	char buffer[512];
	ssize_t got = read(control, buffer, sizeof(buffer));

	if (got < 0 && (errno == EINTR || errno == EAGAIN))
		return true;
	if (got <= 0)
		return false;
	for (ssize_t i = 0; i < got; i++) {
		unsigned a, b;

		if (buffer[i] != '\n') {
			if (used < sizeof(line) - 1)
				line[used++] = buffer[i];
			continue;
		}
		line[used] = '\0';
		used = 0;
		if (sscanf(line, "resize %u %u", &a, &b) == 2 && master >= 0)
			resize(master, a, b);
		else if (sscanf(line, "signal %u", &a) == 1 && child > 0)
			kill(child, (int)a);
	}
	return true;
}

static bool write_all(int fd, const char *data, size_t size)
{
	while (size > 0) {
		ssize_t done = write(fd, data, size);

		if (done < 0 && errno == EINTR)
			continue;
		if (done < 0 && errno == EAGAIN) {
			struct pollfd wait = { .fd = fd, .events = POLLOUT };

			poll(&wait, 1, -1);
			continue;
		}
		if (done <= 0)
			return false;
		data += done;
		size -= (size_t)done;
	}
	return true;
}

/*
 * Joins a terminal to stdin and stdout until its other side is closed by everybody, the daemon is gone, or `ended` can
 * be read (the command has ended) and all that was written is passed on.
 * Input that the terminal cannot take yet is kept here, so that output never waits for it.
 */
static void pump(int master, pid_t child, int ended)
{
	static char input[16 * 1024], output[64 * 1024];
	size_t held = 0;
	bool open = true, last = false;

	fcntl(master, F_SETFL, fcntl(master, F_GETFL) | O_NONBLOCK);
	for (;;) {
		struct pollfd fds[4] = {
			{ .fd = master, .events = (short)(POLLIN | (held ? POLLOUT : 0)) },
			{ .fd = open && held == 0 ? STDIN_FILENO : -1, .events = POLLIN },
			{ .fd = control, .events = POLLIN },
			{ .fd = last ? -1 : ended, .events = POLLIN },
		};
		ssize_t size;

		if (poll(fds, 4, last ? 0 : -1) < 0) {
			if (errno != EINTR)
				return;
			continue;
		}
		if (fds[2].revents && !read_control(master, child))
			return;
		if (last && !(fds[0].revents & POLLIN))
			return;
		last = last || fds[3].revents;
		if (fds[0].revents & (POLLIN | POLLHUP | POLLERR)) {
			size = read(master, output, sizeof(output));
			if (size > 0 && !write_all(STDOUT_FILENO, output, (size_t)size))
				return;
			if (size == 0 || (size < 0 && errno != EAGAIN && errno != EINTR))
				return; /* EIO: the last user of the terminal is gone */
		}
		if (held && (fds[0].revents & POLLOUT)) {
			size = write(master, input, held);
			if (size > 0) {
				held -= (size_t)size;
				memmove(input, input + size, held);
			}
		}
		if (fds[1].revents) {
			size = read(STDIN_FILENO, input, sizeof(input));
			if (size > 0)
				held = (size_t)size;
			else if (size == 0 || (errno != EAGAIN && errno != EINTR))
				open = false;
		}
	}
}

static int console(char **args)
{
	struct lxc_container *container = lxc_container_new(args[1], args[0]);
	int number = 0, master = -1, lock;

	lock = container ? container->console_getfd(container, &number, &master) : -1;
	if (lock < 0 || master < 0)
		return fail("the console could not be opened; is it in use already?");
	resize(master, (unsigned)atoi(args[2]), (unsigned)atoi(args[3]));
	dprintf(control, "pid 0\n");
	pump(master, 0, -1);
	dprintf(control, "exit 0\n");
	return 0;
}

/* ---- exec ---- */

struct request {
	char **argv, **env;
	bool terminal;
};

static bool read_exactly(void *data, size_t size)
{
	for (size_t done = 0; done < size;) {
		ssize_t got = read(control, (char *)data + done, size - done);

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return false;
		done += (size_t)got;
	}
	return true;
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

	setsid();
	if (request->terminal)
		ioctl(STDIN_FILENO, TIOCSCTTY, 0);
	signal(SIGPIPE, SIG_DFL);
	execvp(request->argv[0], request->argv);
	_exit(errno == ENOENT || errno == ENOTDIR ? 127 : 126);
}

/* The id on the host of an id inside. */
static uid_t on_host(pid_t init, uid_t inside)
{
	unsigned long first, host, count;
	uid_t found = inside;
	char path[64];
	FILE *map;

	snprintf(path, sizeof(path), "/proc/%d/uid_map", init);
	map = fopen(path, "re");
	if (!map)
		return inside;
	while (fscanf(map, "%lu %lu %lu", &first, &host, &count) == 3)
		if (inside >= first && inside - first < count)
			found = (uid_t)(host + (inside - first));
	fclose(map);
	return found;
}

/* A terminal of the container's own devpts: one of the host's would be no terminal inside. */
static int open_terminal(struct lxc_container *container, uid_t uid, int *slave)
{
	int devpts = container->devpts_fd(container);
	int master = devpts < 0 ? -1 : openat(devpts, "ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC);
	int unlocked = 0;

	if (devpts >= 0)
		close(devpts);
	if (master < 0 || ioctl(master, TIOCSPTLCK, &unlocked) < 0)
		return -1;
	*slave = ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (*slave < 0)
		return -1;
	/* Whoever opens it by name inside must be its owner. */
	if (fchown(*slave, on_host(container->init_pid(container), uid), (gid_t)-1) < 0)
		return -1;
	return master;
}

static int exit_status(int status)
{
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

/* Waits for the command while the daemon's signals are passed on. When the daemon is gone the command goes on alone. */
static int wait_child(pid_t child, int ended)
{
	int status = 0;

	for (;;) {
		struct pollfd fds[2] = { { .fd = control, .events = POLLIN }, { .fd = ended, .events = POLLIN } };

		if (waitpid(child, &status, WNOHANG) == child)
			return exit_status(status);
		if (poll(fds, 2, -1) < 0 && errno != EINTR)
			return -1;
		if (fds[0].revents && !read_control(-1, child))
			return -1;
	}
}

static int exec(char **args)
{
	lxc_attach_options_t options = LXC_ATTACH_OPTIONS_DEFAULT;
	struct lxc_container *container;
	struct request request = { 0 };
	int columns = atoi(args[5]), master = -1, slave = -1, ended, status;
	pid_t child = -1;

	if (!read_request(&request))
		return fail("the request was cut off");
	container = lxc_container_new(args[1], args[0]);
	if (!container || !container->is_running(container))
		return fail("the container is not running");

	options.uid = (uid_t)strtoul(args[2], NULL, 10);
	options.gid = (gid_t)strtoul(args[3], NULL, 10);
	options.initial_cwd = args[4];
	options.env_policy = LXC_ATTACH_CLEAR_ENV;
	options.extra_env_vars = request.env;
	request.terminal = columns > 0;
	if (request.terminal) {
		master = open_terminal(container, options.uid, &slave);
		if (master < 0)
			return fail("no terminal could be opened in the container: %s", strerror(errno));
		resize(master, (unsigned)columns, (unsigned)atoi(args[6]));
		options.stdin_fd = options.stdout_fd = options.stderr_fd = slave;
	} else {
		/* Pipes, too, may be opened by name (/dev/stderr), by their owner. */
		for (int fd = 0; fd < 3; fd++)
			if (fchown(fd, on_host(container->init_pid(container), options.uid), (gid_t)-1) < 0)
				return fail("fchown: %s", strerror(errno));
	}

	if (container->attach(container, run, &request, &options, &child) < 0)
		return fail("the container could not be entered: %s", strerror(errno));
	ended = (int)syscall(SYS_pidfd_open, child, 0);
	dprintf(control, "pid %d\n", child);

	if (request.terminal) {
		close(slave);
		pump(master, child, ended);
		/* Nobody listens any more: whoever still uses the terminal gets SIGHUP. */
		close(master);
	} else {
		/* The last reader and writer must be the command's. */
		for (int fd = 0; fd < 3; fd++)
			close(fd);
	}
	status = wait_child(child, ended);
	if (status >= 0)
		dprintf(control, "exit %d\n", status);
	return 0;
}

int main(int argc, char **argv)
{
	const char *verb = argc > 1 ? argv[1] : "";

	signal(SIGPIPE, SIG_IGN);
	if (strcmp(verb, "start") == 0 && argc == 7)
		return start(argv + 2);
	/* Only the socket to the daemon stays, before liblxc opens what it needs. */
	close_range(control + 1, ~0U, 0);
	fcntl(control, F_SETFD, FD_CLOEXEC);
	if (strcmp(verb, "exec") == 0 && argc == 9)
		return exec(argv + 2);
	if (strcmp(verb, "console") == 0 && argc == 6)
		return console(argv + 2);
	dprintf(STDERR_FILENO, "usage: lxd-ts-runtime start|exec|console … (run by lxd-tsd)\n");
	return 2;
}
