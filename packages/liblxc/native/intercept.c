/*
 * lxd-ts-intercept: answers system calls that a container's seccomp policy holds back for it (security.syscalls.intercept.*).
 * One small process per container that asks for it; it outlives the daemon, and ends with the container's monitor.
 *
 *   lxd-ts-intercept KEY=VALUE...
 *     socket     where the monitor connects; also marks the process for whoever ends it
 *     pidfile    where its pid is written
 *     payload    name of the container's cgroup
 *     watch      pid of the container's init, when it runs already: the process ends with that
 *     mount      filesystems that may be mounted, separated by commas
 *     fuse       FILESYSTEM=PROGRAM, separated by commas: those are mounted by a program, as the caller
 *     shift      1: what is mounted gets the container's ids
 *
 * A call is only ever made easier for who has the capability inside and is in the container's own user namespace; all else is
 * left to the kernel. Returns once it listens; what keeps it from that is said on stderr.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "intercept.h"

enum {
	/* liblxc waits 30 s for an answer. */
	patience_ms = 20 * 1000,
	/* A container that is not there by then never started. */
	first_connection_ms = 60 * 1000,
	max_message = 4096,
	/* Children that could not be killed; with so many nothing more is done that may take one. */
	max_kept = 8,
};

/* What liblxc puts before the kernel's notification and the answer to it. */
struct proxied {
	uint64_t reserved;
	pid_t monitor, init;
	struct seccomp_notif_sizes sizes;
	uint64_t cookie_size;
};

static const struct {
	int number;
	struct answer (*answer)(const struct call *, const struct settings *);
} calls[] = {
#ifdef SYS_mknod
	{ SYS_mknod, on_mknod },
#endif
	{ SYS_mknodat, on_mknod },
	{ SYS_setxattr, on_setxattr },
	{ SYS_lsetxattr, on_setxattr },
	{ SYS_sched_setscheduler, on_scheduler },
	{ SYS_sysinfo, on_sysinfo },
	{ SYS_mount, on_mount },
	{ SYS_bpf, on_bpf },
};

#if defined(__x86_64__)
static const uint32_t native = AUDIT_ARCH_X86_64;
#elif defined(__aarch64__)
static const uint32_t native = AUDIT_ARCH_AARCH64;
#else
static const uint32_t native;
#endif

bool still_waits(const struct call *call)
{
	uint64_t id = call->notif->id;

	return ioctl(call->listener, SECCOMP_IOCTL_NOTIF_ID_VALID, &id) == 0;
}

bool read_memory(const struct call *call, uint64_t address, void *data, size_t size)
{
	return pread(call->memory, data, size, (off_t)address) == (ssize_t)size && still_waits(call);
}

bool write_memory(const struct call *call, uint64_t address, const void *data, size_t size)
{
	return still_waits(call) && pwrite(call->memory, data, size, (off_t)address) == (ssize_t)size;
}

bool read_text(const struct call *call, uint64_t address, char *text, size_t room)
{
	ssize_t size = pread(call->memory, text, room, (off_t)address);

	return size > 0 && memchr(text, '\0', (size_t)size) && still_waits(call);
}

int open_in(const struct call *call, const char *format, ...)
{
	char path[64];
	va_list args;

	va_start(args, format);
	vsnprintf(path, sizeof(path), format, args);
	va_end(args);
	return openat(call->proc, path, O_RDONLY | O_CLOEXEC);
}

static int kept;

static void bury(void)
{
	while (kept > 0 && waitpid(-1, NULL, WNOHANG) > 0)
		kept--;
}

bool speaks(int fd, int patience)
{
	struct pollfd said = { .fd = fd, .events = POLLIN };

	return poll(&said, 1, patience) > 0;
}

void part_with(pid_t child, bool spoke)
{
	kill(child, SIGKILL);
	if (waitpid(child, NULL, spoke ? 0 : WNOHANG) == 0)
		kept++;
}

bool capable_of(const struct call *call, unsigned capability)
{
	return call->capabilities & (1ULL << capability);
}

struct answer apart(struct answer (*work)(const struct call *, void *), const struct call *call, void *data)
{
	struct answer answer = failed(EIO);
	int ends[2];
	pid_t child;

	if (pipe2(ends, O_CLOEXEC) < 0)
		return answer;
	child = fork();
	if (child == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		answer = work(call, data);
		_exit(write(ends[1], &answer, sizeof(answer)) != sizeof(answer));
	}
	close(ends[1]);
	if (child > 0) {
		bool spoke = speaks(ends[0], patience_ms);
		struct answer said;

		if (spoke && read(ends[0], &said, sizeof(said)) == sizeof(said))
			answer = said;
		part_with(child, spoke);
	}
	close(ends[0]);
	return answer;
}

static bool same_user_namespace(const struct call *call, pid_t init)
{
	struct stat own, other;
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/ns/user", init);
	return fstatat(call->proc, "ns/user", &own, 0) == 0 && stat(path, &other) == 0 && own.st_ino == other.st_ino &&
	       own.st_dev == other.st_dev;
}

/* Who calls; false when it is gone. */
static bool read_caller(struct call *call)
{
	char text[4096], *line;
	unsigned long long capabilities, bounding;
	unsigned id, mask, no_new_rights;
	int fd = open_in(call, "status");
	ssize_t size = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);

	if (fd >= 0)
		close(fd);
	if (size <= 0)
		return false;
	text[size] = '\0';
	if (!(line = strstr(text, "\nUmask:")) || sscanf(line + 7, "%o", &mask) != 1)
		return false;
	call->mask = mask;
	if (!(line = strstr(text, "\nTgid:")) || sscanf(line + 6, "%d", &call->process) != 1)
		return false;
	/* The fourth is the one that counts for files. */
	if (!(line = strstr(text, "\nUid:")) || sscanf(line + 5, "%*u %*u %*u %u", &id) != 1)
		return false;
	call->uid = id;
	if (!(line = strstr(text, "\nGid:")) || sscanf(line + 5, "%*u %*u %*u %u", &id) != 1)
		return false;
	call->gid = id;
	if (!(line = strstr(text, "\nCapEff:")) || sscanf(line + 8, "%llx", &capabilities) != 1)
		return false;
	call->capabilities = capabilities;
	if (!(line = strstr(text, "\nCapBnd:")) || sscanf(line + 8, "%llx", &bounding) != 1)
		return false;
	call->bounding = bounding;
	if (!(line = strstr(text, "\nNoNewPrivs:")) || sscanf(line + 12, "%u", &no_new_rights) != 1)
		return false;
	call->no_new_rights = no_new_rights != 0;
	return still_waits(call);
}

static struct answer answer_to(struct call *call, const struct settings *settings)
{
	bury();
	if (kept >= max_kept || call->notif->data.arch != native || !read_caller(call) || !same_user_namespace(call, settings->init))
		return pass_on();
	for (size_t i = 0; i < sizeof(calls) / sizeof(*calls); i++)
		if (calls[i].number == call->notif->data.nr)
			return calls[i].answer(call, settings);
	return pass_on();
}

/* One message of the monitor; false when it is gone. */
static bool serve(int monitor, struct settings *settings)
{
	char message[max_message] __attribute__((aligned(16)));
	char control[CMSG_SPACE(3 * sizeof(int))] __attribute__((aligned(8)));
	struct iovec data = { message, sizeof(message) };
	struct msghdr header = { .msg_iov = &data, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof(control) };
	ssize_t size = recvmsg(monitor, &header, MSG_CMSG_CLOEXEC);
	struct proxied *proxied = (struct proxied *)message;
	struct cmsghdr *passed = size > 0 ? CMSG_FIRSTHDR(&header) : NULL;
	int fds[3] = { -1, -1, -1 };
	size_t expected;
	bool sent = false;

	if (size <= 0)
		return size < 0 && errno == EINTR;
	if (passed && passed->cmsg_type == SCM_RIGHTS && passed->cmsg_len <= CMSG_LEN(sizeof(fds)))
		memcpy(fds, CMSG_DATA(passed), passed->cmsg_len - CMSG_LEN(0));
	expected = sizeof(*proxied) + proxied->sizes.seccomp_notif + proxied->sizes.seccomp_notif_resp;
	if ((size_t)size >= sizeof(*proxied) && (size_t)size >= expected && fds[2] >= 0 &&
	    proxied->sizes.seccomp_notif >= sizeof(struct seccomp_notif) &&
	    proxied->sizes.seccomp_notif_resp >= sizeof(struct seccomp_notif_resp)) {
		struct seccomp_notif *notif = (struct seccomp_notif *)(message + sizeof(*proxied));
		struct seccomp_notif_resp *response =
			(struct seccomp_notif_resp *)(message + sizeof(*proxied) + proxied->sizes.seccomp_notif);
		struct call call = { .notif = notif, .proc = fds[0], .memory = fds[1], .listener = fds[2] };
		struct answer answer;

		settings->init = proxied->init;
		answer = answer_to(&call, settings);
		response->id = notif->id;
		response->flags = answer.pass ? SECCOMP_USER_NOTIF_FLAG_CONTINUE : 0;
		response->error = answer.pass ? 0 : -answer.error;
		response->val = answer.pass || answer.error ? 0 : answer.value;
		sent = send(monitor, message, expected, MSG_NOSIGNAL) == (ssize_t)expected;
	}
	for (int i = 0; i < 3; i++)
		if (fds[i] >= 0)
			close(fds[i]);
	return sent;
}

static void __attribute__((noreturn)) die(const char *what)
{
	dprintf(STDERR_FILENO, "%s: %s\n", what, strerror(errno));
	_exit(1);
}

/* Goes on in a child of its own session; the parent leaves when all is ready. */
static void go_on_alone(const char *pidfile)
{
	int ready[2], null;
	char byte;
	pid_t child;
	FILE *file;

	if (pipe2(ready, O_CLOEXEC) < 0)
		die("pipe");
	child = fork();
	if (child < 0)
		die("fork");
	if (child > 0) {
		close(ready[1]);
		_exit(read(ready[0], &byte, 1) == 1 ? 0 : 1);
	}
	setsid();
	file = fopen(pidfile, "we");
	if (!file || fprintf(file, "%d", getpid()) < 0 || fclose(file) != 0)
		die(pidfile);
	if (write(ready[1], "+", 1) != 1)
		_exit(1);
	close(ready[0]);
	close(ready[1]);
	null = open("/dev/null", O_RDWR | O_CLOEXEC);
	for (int fd = 0; fd < 3; fd++)
		dup2(null, fd);
	if (null > 2)
		close(null);
}

int main(int argc, char **argv)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	struct settings settings = { .mount = "", .fuse = "", .payload = "" };
	const char *path = "", *pidfile = "";
	pid_t watch = 0, worker;
	/* Its monitor may come and go. */
	bool watched = false;
	/* First where it listens, then its monitor, then the container's init. */
	struct pollfd events[3] = { { .fd = -1, .events = POLLIN }, { .fd = -1, .events = POLLIN }, { .fd = -1, .events = POLLIN } };

	for (int i = 1; i < argc; i++) {
		char *value = strchr(argv[i], '=');
		size_t length = value ? (size_t)(value - argv[i]) : 0;

		if (!value++)
			continue;
		if (strncmp(argv[i], "socket=", length + 1) == 0)
			path = value;
		else if (strncmp(argv[i], "pidfile=", length + 1) == 0)
			pidfile = value;
		else if (strncmp(argv[i], "payload=", length + 1) == 0)
			settings.payload = value;
		else if (strncmp(argv[i], "mount=", length + 1) == 0)
			settings.mount = value;
		else if (strncmp(argv[i], "fuse=", length + 1) == 0)
			settings.fuse = value;
		else if (strncmp(argv[i], "shift=", length + 1) == 0)
			settings.shift = strcmp(value, "1") == 0;
		else if (strncmp(argv[i], "watch=", length + 1) == 0)
			watch = (pid_t)atoi(value);
	}
	if (!*path || strlen(path) >= sizeof(address.sun_path)) {
		dprintf(STDERR_FILENO, "a socket's path has between 1 and %zu bytes\n", sizeof(address.sun_path) - 1);
		return 1;
	}
	strcpy(address.sun_path, path);
	umask(0077);
	unlink(path);
	events[0].fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	if (events[0].fd < 0 || bind(events[0].fd, (struct sockaddr *)&address, sizeof(address)) < 0 || listen(events[0].fd, 4) < 0)
		die(path);
	if (watch > 0 && (events[2].fd = (int)syscall(SYS_pidfd_open, watch, 0)) < 0)
		die("the container is gone");
	watched = watch > 0;
	if (chdir("/") < 0)
		die("/");
	signal(SIGPIPE, SIG_IGN);
	go_on_alone(pidfile);

	/* Who cannot connect again is never answered any more: where it listens outlives a worker that dies. */
	for (int status; (worker = fork()) > 0;) {
		waitpid(worker, &status, 0);
		if (WIFEXITED(status))
			return WEXITSTATUS(status);
		watched = true;
	}
	prctl(PR_SET_PDEATHSIG, SIGKILL);

	while (poll(events, 3, watched || events[1].fd >= 0 ? -1 : first_connection_ms) > 0) {
		if (events[2].revents)
			break;
		if (events[0].revents) {
			int monitor = accept4(events[0].fd, NULL, NULL, SOCK_CLOEXEC);

			/* Who comes again has given the first one up. */
			if (monitor >= 0 && events[1].fd >= 0)
				close(events[1].fd);
			if (monitor >= 0)
				events[1] = (struct pollfd){ .fd = monitor, .events = POLLIN };
		} else if (events[1].revents && !serve(events[1].fd, &settings)) {
			close(events[1].fd);
			events[1].fd = -1;
			if (!watched)
				break;
		}
	}
	unlink(path);
	unlink(pidfile);
	return 0;
}
