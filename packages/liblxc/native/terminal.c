/* Joins a terminal to the daemon: its output to stdout, stdin to its input. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "runtime.h"

/* What one side has given and the other cannot take yet. Kept, so that neither direction, nor a signal, waits for it. */
struct held {
	char data[32 * 1024];
	size_t size;
};

void resize(int master, unsigned columns, unsigned rows)
{
	struct winsize size = { .ws_col = (unsigned short)columns, .ws_row = (unsigned short)rows };

	if (master >= 0 && columns && rows)
		ioctl(master, TIOCSWINSZ, &size);
}

static bool transient(void)
{
	return errno == EAGAIN || errno == EINTR;
}

/* False at the end of what is read. */
static bool fill(int fd, struct held *held)
{
	ssize_t size = read(fd, held->data, sizeof(held->data));

	if (size > 0)
		held->size = (size_t)size;
	return size > 0 || (size < 0 && transient());
}

/* False when nobody takes it any more; it is dropped then. */
static bool drain(int fd, struct held *held)
{
	ssize_t size = write(fd, held->data, held->size);

	if (size < 0 && transient())
		return true;
	if (size <= 0) {
		held->size = 0;
		return false;
	}
	held->size -= (size_t)size;
	memmove(held->data, held->data + size, held->size);
	return true;
}

static void unblock(int fd)
{
	fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
}

static void report(pid_t child)
{
	int status = 0;

	while (waitpid(child, &status, 0) < 0 && errno == EINTR)
		;
	dprintf(control, "exit %d\n", WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status));
}

void serve(int master, pid_t child, int ended)
{
	static struct held input, output;
	bool running = child > 0, listening = master >= 0, typing = listening, last = false, killed = false;

	if (listening) {
		unblock(master);
		unblock(STDIN_FILENO);
		unblock(STDOUT_FILENO);
	}
	while (running || listening) {
		bool reading = master >= 0 && output.size == 0;
		/* Hang-ups are always told: what could not act on one must not be asked. */
		struct pollfd fds[5] = {
			{ .fd = control, .events = POLLIN },
			{ .fd = running ? ended : -1, .events = POLLIN },
			{ .fd = reading || input.size ? master : -1,
			  .events = (short)((reading ? POLLIN : 0) | (input.size ? POLLOUT : 0)) },
			{ .fd = typing && input.size == 0 ? STDIN_FILENO : -1, .events = POLLIN },
			{ .fd = listening ? STDOUT_FILENO : -1, .events = output.size ? POLLOUT : 0 },
		};
		bool hung;

		if (poll(fds, 5, last && reading ? 0 : -1) < 0) {
			if (errno != EINTR)
				return;
			continue;
		}
		if (fds[0].revents && !read_control(master, running ? child : 0, &killed)) {
			/* A command goes on without the daemon, unless it was called off: as a zombie it would hold up the container. */
			if (running && killed)
				report(child);
			return;
		}
		if (fds[1].revents) {
			report(child);
			running = false;
			/* All that it wrote can be read by now; asked once more, since this answer is older. */
			last = true;
			continue;
		}
		hung = fds[2].revents & (POLLHUP | POLLERR);
		if (fds[3].revents)
			typing = fill(STDIN_FILENO, &input);
		else if (hung || ((fds[2].revents & POLLOUT) && !drain(master, &input)))
			input.size = 0;
		if (fds[4].revents)
			listening = !(fds[4].revents & (POLLHUP | POLLERR)) && drain(STDOUT_FILENO, &output);
		/* EIO: its last user is gone. */
		if (reading && (hung || (fds[2].revents & POLLIN) ? !fill(master, &output) : last)) {
			close(master);
			master = -1;
		}
		if (!listening || (master < 0 && output.size == 0)) {
			/* Whoever still uses a terminal that nobody listens to gets SIGHUP. */
			if (master >= 0)
				close(master);
			if (listening || master >= 0 || typing) {
				close(STDIN_FILENO);
				close(STDOUT_FILENO);
			}
			master = -1;
			listening = typing = false;
			input.size = output.size = 0;
		}
	}
}

int console(char **args)
{
	struct lxc_container *container = lxc_container_new(args[1], args[0]);
	int number = 0, master = -1, lock;

	lock = container ? container->console_getfd(container, &number, &master) : -1;
	if (lock < 0 || master < 0)
		return fail("the console could not be opened; is it in use already?");
	resize(master, (unsigned)atoi(args[2]), (unsigned)atoi(args[3]));
	dprintf(control, "pid 0\n");
	serve(master, 0, -1);
	dprintf(control, "exit 0\n");
	return 0;
}
