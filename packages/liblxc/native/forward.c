/*
 * lxd-ts-forward: passes connections on from where it listens to where it connects, each in the network of the host or of a
 * container. One small process per proxy device, with no rights left but those to connect; it ends with its container.
 *
 *   lxd-ts-forward KEY=VALUE...
 *     id            marks the process for whoever ends it
 *     pidfile       where its pid is written
 *     watch         pid of the container's init: it ends with that
 *     listen-in, connect-in   pid whose namespaces it listens or connects in; absent: here
 *     user-in       pid whose user namespace it ends up in; uid and gid count there
 *     uid, gid      who it becomes; keep=files: what is left to root is to reach any file
 *     listen        tcp|udp:ADDRESS:PORT, unix:PATH or unix:@NAME; several
 *     connect       one for all, or one for each
 *     maker, maker-group      root of where it listens, as seen here
 *     owner, group, mode      of a socket that it listens on by path
 *     proxy         1: a PROXY header goes first
 *   lxd-ts-forward unlink PID PATH   removes a socket that was listened on in a container, or here when PID is 0
 *
 * Returns once it listens; what keeps it from that is said on stderr.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/fsuid.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "forward.h"

static int report = STDERR_FILENO;
static struct forwarding all;
static struct address targets[max_listeners];
static size_t connecting_to;
static uid_t maker;
static gid_t maker_group;

static void __attribute__((noreturn, format(printf, 1, 2))) die(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vdprintf(report, format, args);
	va_end(args);
	_exit(1);
}

static int proc(const char *pid, const char *what, int mode)
{
	char path[128];
	int fd;

	snprintf(path, sizeof(path), "/proc/%s/%s", pid, what);
	fd = open(path, mode | O_CLOEXEC);
	if (fd < 0)
		die("%s: %s", path, strerror(errno));
	return fd;
}

static struct address parse(const char *text)
{
	struct address found;
	char why[256];

	if (!parse_address(text, &found, why))
		die("%s", why);
	return found;
}

/* A socket that nobody listens on any more; anything else of that name stays. */
static void unlink_socket(const char *path)
{
	struct stat found;

	if (lstat(path, &found) == 0 && S_ISSOCK(found.st_mode))
		unlink(path);
}

static void open_listener(struct listener *at, const char *text, uid_t owner, gid_t group, mode_t mode)
{
	int yes = 1, family = at->address.to.any.sa_family;

	at->kind = is_listener;
	at->fd = socket(family, at->address.type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (at->fd < 0)
		die("socket: %s", strerror(errno));
	if (family == AF_INET || family == AF_INET6)
		setsockopt(at->fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
	if (family == AF_INET6)
		setsockopt(at->fd, IPPROTO_IPV6, IPV6_V6ONLY, &yes, sizeof(yes));
	if (by_path(&at->address))
		unlink_socket(at->address.to.local.sun_path);
	umask(0177);
	/* In a filesystem that maps ids only somebody of its map can make a file. */
	setfsgid(maker_group);
	setfsuid(maker);
	if (bind(at->fd, &at->address.to.any, at->address.size) < 0)
		die("Failed to listen on %s: %s", text, strerror(errno));
	setfsuid(0);
	setfsgid(0);
	if (by_path(&at->address) && (lchown(at->address.to.local.sun_path, owner, group) < 0 ||
				      chmod(at->address.to.local.sun_path, mode) < 0))
		die("%s: %s", text, strerror(errno));
	if (at->address.type == SOCK_STREAM && listen(at->fd, SOMAXCONN) < 0)
		die("Failed to listen on %s: %s", text, strerror(errno));
}

static void keep_rights(bool files)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2] = { { 0 } };

	if (files)
		data[0].effective = data[0].permitted = 1u << CAP_DAC_OVERRIDE | 1u << CAP_DAC_READ_SEARCH;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || syscall(SYS_capset, &head, data) < 0)
		die("rights cannot be given up: %s", strerror(errno));
	prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
}

/* Into the network of a process, and for sockets with a path into its files. */
static void enter(const char *pid, bool files)
{
	int net = proc(pid, "ns/net", O_RDONLY), mnt, root;

	if (setns(net, CLONE_NEWNET) < 0)
		die("the network of process %s cannot be entered: %s", pid, strerror(errno));
	close(net);
	if (!files)
		return;
	mnt = proc(pid, "ns/mnt", O_RDONLY);
	root = proc(pid, "root", O_PATH | O_DIRECTORY);
	if (setns(mnt, CLONE_NEWNS) < 0 || fchdir(root) < 0 || chroot(".") < 0 || chdir("/") < 0)
		die("the files of process %s cannot be entered: %s", pid, strerror(errno));
	close(mnt);
	close(root);
}

static const char *value_of(char **args, const char *key)
{
	size_t length = strlen(key);

	for (; *args; args++)
		if (strncmp(*args, key, length) == 0 && (*args)[length] == '=')
			return *args + length + 1;
	return NULL;
}

static unsigned number_of(char **args, const char *key, int base, unsigned otherwise)
{
	const char *text = value_of(args, key);

	return text && *text ? (unsigned)strtoul(text, NULL, base) : otherwise;
}

static void prepare(char **args)
{
	const char *listen_in = value_of(args, "listen-in"), *connect_in = value_of(args, "connect-in");
	const char *user_in = value_of(args, "user-in"), *watch = value_of(args, "watch"), *texts[max_listeners];
	int home_net = proc("self", "ns/net", O_RDONLY), home_mnt = proc("self", "ns/mnt", O_RDONLY);
	int home_root = proc("self", "root", O_PATH | O_DIRECTORY), user = user_in ? proc(user_in, "ns/user", O_RDONLY) : -1;
	uid_t uid = number_of(args, "uid", 10, 0);
	gid_t gid = number_of(args, "gid", 10, 0);
	const char *keep = value_of(args, "keep");
	struct rlimit files;
	bool paths = false, target_paths = false;
	static enum kind watched = is_watch;
	struct epoll_event event = { .events = EPOLLIN, .data.ptr = &watched };
	int init = watch ? (int)syscall(SYS_pidfd_open, atoi(watch), 0) : -1;

	if (watch && init < 0)
		die("process %s: %s", watch, strerror(errno));
	if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
		files.rlim_cur = files.rlim_max;
		setrlimit(RLIMIT_NOFILE, &files);
	}
	for (char **at = args; *at; at++) {
		if (strncmp(*at, "listen=", 7) == 0 && all.listening < max_listeners) {
			texts[all.listening] = *at + 7;
			all.listeners[all.listening].address = parse(*at + 7);
			paths |= by_path(&all.listeners[all.listening++].address);
		} else if (strncmp(*at, "connect=", 8) == 0 && connecting_to < max_listeners) {
			targets[connecting_to] = parse(*at + 8);
			target_paths |= by_path(&targets[connecting_to++]);
		}
	}
	if (all.listening == 0 || (connecting_to != 1 && connecting_to != all.listening))
		die("what is listened on and what is connected to do not match");
	maker = number_of(args, "maker", 10, 0);
	maker_group = number_of(args, "maker-group", 10, 0);
	all.with_header = number_of(args, "proxy", 10, 0) != 0;
	all.passes_files = all.listeners[0].address.to.any.sa_family == AF_UNIX && targets[0].to.any.sa_family == AF_UNIX;

	/* While there is the right to. */
	const char *pidfile = value_of(args, "pidfile");
	int file = pidfile ? open(pidfile, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600) : -1;

	if (file >= 0)
		dprintf(file, "%d %s\n", getpid(), listen_in ? listen_in : "0");

	if (listen_in)
		enter(listen_in, paths);
	for (size_t i = 0; i < all.listening; i++) {
		all.listeners[i].target = &targets[connecting_to == 1 ? 0 : i];
		open_listener(&all.listeners[i], texts[i], number_of(args, "owner", 10, 0), number_of(args, "group", 10, 0),
			      number_of(args, "mode", 8, 0644));
	}
	if (listen_in && (setns(home_net, CLONE_NEWNET) < 0 ||
			  (paths && (setns(home_mnt, CLONE_NEWNS) < 0 || fchdir(home_root) < 0 || chroot(".") < 0))))
		die("the way back is lost: %s", strerror(errno));
	if (connect_in)
		enter(connect_in, target_paths);
	close(home_net);
	close(home_mnt);
	close(home_root);

	all.epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (init >= 0)
		epoll_ctl(all.epoll_fd, EPOLL_CTL_ADD, init, &event);
	for (size_t i = 0; i < all.listening; i++) {
		event.data.ptr = &all.listeners[i];
		epoll_ctl(all.epoll_fd, EPOLL_CTL_ADD, all.listeners[i].fd, &event);
	}
	setgroups(0, NULL);
	if (user >= 0 && setns(user, CLONE_NEWUSER) < 0)
		die("the users of process %s cannot be entered: %s", user_in, strerror(errno));
	if (user >= 0)
		setgroups(0, NULL);
	if (setresgid(gid, gid, gid) < 0 || setresuid(uid, uid, uid) < 0)
		die("user %u and group %u cannot be taken on: %s", uid, gid, strerror(errno));
	keep_rights(uid == 0 && keep && strcmp(keep, "files") == 0);
}

static int remove_socket(const char *pid, const char *path)
{
	if (strcmp(pid, "0") != 0)
		enter(pid, true);
	unlink_socket(path);
	return 0;
}

int main(int argc, char **argv)
{
	int pipes[2], null, status;
	char said[1024];
	ssize_t got;
	pid_t child;

	if (argc == 4 && strcmp(argv[1], "unlink") == 0)
		return remove_socket(argv[2], argv[3]);
	if (argc < 3 || pipe2(pipes, O_CLOEXEC) < 0)
		return 2;
	child = fork();
	if (child == 0) {
		close(pipes[0]);
		report = pipes[1];
		setsid();
		signal(SIGPIPE, SIG_IGN);
		null = open("/dev/null", O_RDWR | O_CLOEXEC);
		for (int fd = 0; fd < 3; fd++)
			dup2(null, fd);
		if (chdir("/") < 0)
			die("/: %s", strerror(errno));
		prepare(argv + 1);
		if (write(report, "ok", 2) != 2)
			_exit(1);
		close(report);
		serve_all(&all);
	}
	close(pipes[1]);
	got = child < 0 ? 0 : read(pipes[0], said, sizeof(said));
	if (got == 2 && memcmp(said, "ok", 2) == 0)
		return 0;
	dprintf(STDERR_FILENO, "%.*s\n", got > 0 ? (int)got : 0, said);
	if (child > 0)
		waitpid(child, &status, 0);
	return 1;
}
