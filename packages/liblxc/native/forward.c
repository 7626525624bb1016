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
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/fsuid.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <grp.h>

enum {
	max_listeners = 4096,
	buffer_size = 32 * 1024,
	max_datagram = 65536,
	udp_idle_s = 120,
	max_udp_sessions = 4096,
	max_passed = 16,
};

struct address {
	int type;
	socklen_t size;
	union {
		struct sockaddr any;
		struct sockaddr_in four;
		struct sockaddr_in6 six;
		struct sockaddr_un local;
		struct sockaddr_storage room;
	} to;
};

/* First in whatever epoll tells of. */
enum kind { is_watch, is_listener, is_end };

struct listener {
	enum kind kind;
	int fd;
	struct address address;
	const struct address *target;
	struct connection *sessions;
};

/* One side, with what is to be written to it. */
struct end {
	enum kind kind;
	int fd;
	uint32_t asked;
	struct connection *connection;
	char *data;
	size_t from, to;
	int passed[max_passed];
	int passing;
	/* Nothing more is read from it; all that there will be has been written to it. */
	bool over, shut;
};

struct connection {
	struct end client, server;
	bool connecting, datagrams, dead;
	/* Who is asked by datagrams never says that it is done. */
	bool endless;
	/* Of a client that sends datagrams. */
	struct listener *listener;
	struct address from;
	time_t last;
	struct connection *next;
};

static int epoll_fd, report = STDERR_FILENO;
static struct listener listeners[max_listeners];
static struct address targets[max_listeners];
static size_t listening, connecting_to;
static bool with_header, passes_files;
static struct connection *dead;
static size_t udp_sessions;
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
	struct address found = { 0 };
	char host[INET6_ADDRSTRLEN + 2] = "";
	const char *rest = strchr(text, ':'), *port;
	size_t length;

	if (!rest++)
		die("\"%s\" is no address", text);
	found.type = strncmp(text, "udp:", 4) == 0 ? SOCK_DGRAM : SOCK_STREAM;
	if (strncmp(text, "unix:", 5) == 0) {
		length = strlen(rest);
		if (length >= sizeof(found.to.local.sun_path))
			die("the path \"%s\" is too long for a socket", rest);
		found.to.local.sun_family = AF_UNIX;
		memcpy(found.to.local.sun_path, rest, length);
		found.size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length);
		if (*rest == '@')
			found.to.local.sun_path[0] = '\0';
		else
			found.size++;
		return found;
	}
	port = strrchr(rest, ':');
	length = port ? (size_t)(port - rest) : 0;
	if (length == 0 || length >= sizeof(host))
		die("\"%s\" is no address", text);
	memcpy(host, rest, length);
	if (*host == '[') {
		host[length - 1] = '\0';
		found.to.six.sin6_family = AF_INET6;
		found.to.six.sin6_port = htons((uint16_t)atoi(port + 1));
		found.size = sizeof(found.to.six);
		if (inet_pton(AF_INET6, host + 1, &found.to.six.sin6_addr) != 1)
			die("\"%s\" is no address", text);
	} else {
		found.to.four.sin_family = AF_INET;
		found.to.four.sin_port = htons((uint16_t)atoi(port + 1));
		found.size = sizeof(found.to.four);
		if (inet_pton(AF_INET, host, &found.to.four.sin_addr) != 1)
			die("\"%s\" is no address", text);
	}
	return found;
}

static bool by_path(const struct address *address)
{
	return address->to.any.sa_family == AF_UNIX && address->to.local.sun_path[0];
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

static void ask(struct end *end, uint32_t wanted)
{
	struct epoll_event event = { .events = wanted, .data.ptr = end };

	if (wanted == end->asked || end->fd < 0)
		return;
	/* One of which nothing is wanted is not watched: its end would be told again and again. */
	epoll_ctl(epoll_fd, end->asked == 0 ? EPOLL_CTL_ADD : wanted == 0 ? EPOLL_CTL_DEL : EPOLL_CTL_MOD, end->fd, &event);
	end->asked = wanted;
}

static void drop_passed(struct end *end)
{
	for (int i = 0; i < end->passing; i++)
		close(end->passed[i]);
	end->passing = 0;
}

static void finish(struct connection *at)
{
	if (at->dead)
		return;
	at->dead = true;
	if (at->client.fd >= 0)
		close(at->client.fd);
	close(at->server.fd);
	drop_passed(&at->client);
	drop_passed(&at->server);
	free(at->client.data);
	free(at->server.data);
	if (at->listener) {
		struct connection **link = &at->listener->sessions;

		while (*link && *link != at)
			link = &(*link)->next;
		if (*link)
			*link = at->next;
		udp_sessions--;
	}
	/* Events of it may be in hand still. */
	at->next = dead;
	dead = at;
}

static bool room(struct end *end)
{
	if (!end->data)
		end->data = malloc(buffer_size);
	return end->data && end->to == end->from && end->passing == 0;
}

static ssize_t receive(int from, struct end *into)
{
	char control[CMSG_SPACE(sizeof(int) * max_passed)];
	struct iovec data = { .iov_base = into->data, .iov_len = buffer_size };
	struct msghdr message = { .msg_iov = &data, .msg_iovlen = 1 };
	ssize_t got;

	if (!passes_files)
		return recv(from, into->data, buffer_size, 0);
	message.msg_control = control;
	message.msg_controllen = sizeof(control);
	got = recvmsg(from, &message, MSG_CMSG_CLOEXEC);
	for (struct cmsghdr *at = got < 0 ? NULL : CMSG_FIRSTHDR(&message); at; at = CMSG_NXTHDR(&message, at))
		if (at->cmsg_level == SOL_SOCKET && at->cmsg_type == SCM_RIGHTS) {
			into->passing = (int)((at->cmsg_len - CMSG_LEN(0)) / sizeof(int));
			memcpy(into->passed, CMSG_DATA(at), sizeof(int) * (size_t)into->passing);
		}
	return got;
}

static ssize_t deliver(struct end *to)
{
	char control[CMSG_SPACE(sizeof(int) * max_passed)] = { 0 };
	struct iovec data = { .iov_base = to->data + to->from, .iov_len = to->to - to->from };
	struct msghdr message = { .msg_iov = &data, .msg_iovlen = 1 };
	ssize_t sent;

	if (to->passing > 0) {
		struct cmsghdr *head;

		message.msg_control = control;
		message.msg_controllen = CMSG_SPACE(sizeof(int) * (size_t)to->passing);
		head = CMSG_FIRSTHDR(&message);
		head->cmsg_level = SOL_SOCKET;
		head->cmsg_type = SCM_RIGHTS;
		head->cmsg_len = CMSG_LEN(sizeof(int) * (size_t)to->passing);
		memcpy(CMSG_DATA(head), to->passed, sizeof(int) * (size_t)to->passing);
	}
	sent = sendmsg(to->fd, &message, MSG_NOSIGNAL);
	if (sent >= 0)
		drop_passed(to);
	return sent;
}

static bool later(void)
{
	return errno == EAGAIN || errno == EINTR;
}

/* Everything there is to move from one end to the other; false when the connection is broken. */
static bool move(struct end *from, struct end *to)
{
	for (;;) {
		while (to->from < to->to) {
			ssize_t sent = deliver(to);

			if (sent < 0)
				return later();
			to->from += (size_t)sent;
		}
		to->from = to->to = 0;
		if (from->over) {
			if (!to->shut)
				shutdown(to->fd, SHUT_WR);
			to->shut = true;
			return true;
		}
		if (!room(to))
			return false;
		ssize_t got = receive(from->fd, to);

		if (got < 0)
			return later();
		if (got == 0)
			from->over = true;
		to->to = (size_t)got;
	}
}

static void reply_datagrams(struct connection *at)
{
	static char data[max_datagram];

	for (;;) {
		ssize_t got = recv(at->server.fd, data, sizeof(data), MSG_DONTWAIT);

		if (got <= 0) {
			if (got == 0 || !later())
				finish(at);
			return;
		}
		at->last = time(NULL);
		sendto(at->listener->fd, data, (size_t)got, 0, &at->from.to.any, at->from.size);
	}
}

static void serve(struct connection *at)
{
	struct end *client = &at->client, *server = &at->server;

	if (at->dead)
		return;
	if (at->connecting) {
		int error = 0;
		socklen_t size = sizeof(error);

		if (getsockopt(server->fd, SOL_SOCKET, SO_ERROR, &error, &size) < 0 || error) {
			finish(at);
			return;
		}
		at->connecting = false;
	}
	if (at->datagrams) {
		reply_datagrams(at);
		if (!at->dead)
			ask(server, EPOLLIN);
		return;
	}
	if (!move(client, server) || !move(server, client) || (client->shut && server->shut) ||
	    (at->endless && server->shut)) {
		finish(at);
		return;
	}
	ask(client, (client->over || server->to > server->from ? 0u : (uint32_t)EPOLLIN) |
			    (client->to > client->from ? (uint32_t)EPOLLOUT : 0u));
	ask(server, (server->over || client->to > client->from ? 0u : (uint32_t)EPOLLIN) |
			    (server->to > server->from ? (uint32_t)EPOLLOUT : 0u));
}

static void quick(int fd)
{
	int yes = 1;

	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof(yes));
}

static struct connection *connect_for(struct listener *from)
{
	const struct address *target = from->target;
	struct connection *made = calloc(1, sizeof(*made));

	if (!made)
		return NULL;
	made->client = (struct end){ .kind = is_end, .fd = -1, .connection = made };
	made->server = (struct end){ .kind = is_end, .connection = made };
	made->endless = target->type == SOCK_DGRAM;
	made->server.fd = socket(target->to.any.sa_family, target->type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	quick(made->server.fd);
	if (made->server.fd < 0)
		goto failed;
	if (connect(made->server.fd, &target->to.any, target->size) < 0) {
		if (errno != EINPROGRESS)
			goto failed;
		made->connecting = true;
	}
	return made;
failed:
	if (made->server.fd >= 0)
		close(made->server.fd);
	free(made);
	return NULL;
}

static void header(struct connection *at)
{
	struct address source = { .size = sizeof(source.to) }, own = { .size = sizeof(own.to) };
	char from[INET6_ADDRSTRLEN], to[INET6_ADDRSTRLEN];
	int family, written;

	getpeername(at->client.fd, &source.to.any, &source.size);
	getsockname(at->client.fd, &own.to.any, &own.size);
	family = own.to.any.sa_family;
	if (!room(&at->server))
		return;
	if (family == AF_INET || family == AF_INET6) {
		inet_ntop(family, family == AF_INET ? (void *)&source.to.four.sin_addr : (void *)&source.to.six.sin6_addr, from,
			  sizeof(from));
		inet_ntop(family, family == AF_INET ? (void *)&own.to.four.sin_addr : (void *)&own.to.six.sin6_addr, to,
			  sizeof(to));
		written = snprintf(at->server.data, buffer_size, "PROXY TCP%d %s %s %u %u\r\n", family == AF_INET ? 4 : 6, from,
				   to, ntohs(source.to.four.sin_port), ntohs(own.to.four.sin_port));
	} else {
		written = snprintf(at->server.data, buffer_size, "PROXY UNKNOWN\r\n");
	}
	at->server.to = (size_t)written;
}

static void accept_one(struct listener *from)
{
	int client = accept4(from->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	struct connection *made;

	if (client < 0) {
		/* Until some file is closed; it would be told again at once. */
		if (errno == EMFILE || errno == ENFILE)
			usleep(20000);
		return;
	}
	made = connect_for(from);
	if (!made) {
		close(client);
		return;
	}
	quick(client);
	made->client.fd = client;
	if (with_header)
		header(made);
	if (made->connecting)
		ask(&made->server, EPOLLOUT);
	else
		serve(made);
}

static void expire(void)
{
	time_t now = time(NULL);

	for (size_t i = 0; i < listening; i++)
		for (struct connection *at = listeners[i].sessions, *next; at; at = next) {
			next = at->next;
			if (now - at->last > udp_idle_s)
				finish(at);
		}
}

static void take_datagram(struct listener *from)
{
	static char data[max_datagram];
	struct address source = { .size = sizeof(source.to) };
	struct connection *at;
	ssize_t got = recvfrom(from->fd, data, sizeof(data), 0, &source.to.any, &source.size);

	if (got < 0)
		return;
	for (at = from->sessions; at; at = at->next)
		if (at->from.size == source.size && memcmp(&at->from.to, &source.to, source.size) == 0)
			break;
	if (!at) {
		if (udp_sessions >= max_udp_sessions)
			expire();
		if (udp_sessions >= max_udp_sessions || !(at = connect_for(from)))
			return;
		at->datagrams = true;
		at->listener = from;
		at->from = source;
		at->next = from->sessions;
		from->sessions = at;
		udp_sessions++;
		ask(&at->server, EPOLLIN);
	}
	at->last = time(NULL);
	/* What cannot be taken is lost, as datagrams are. */
	if (send(at->server.fd, data, (size_t)got, MSG_NOSIGNAL) < 0 && errno == ECONNREFUSED)
		finish(at);
}

static void loop(void)
{
	struct epoll_event events[64];

	for (;;) {
		int count = epoll_wait(epoll_fd, events, 64, udp_sessions ? 10000 : -1);

		if (count == 0)
			expire();
		for (int i = 0; i < count; i++) {
			enum kind kind = *(enum kind *)events[i].data.ptr;
			struct listener *from = events[i].data.ptr;

			if (kind == is_watch)
				_exit(0);
			if (kind == is_end)
				serve(((struct end *)events[i].data.ptr)->connection);
			else if (from->address.type == SOCK_DGRAM)
				take_datagram(from);
			else
				accept_one(from);
		}
		while (dead) {
			struct connection *gone = dead;

			dead = gone->next;
			free(gone);
		}
	}
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
		if (strncmp(*at, "listen=", 7) == 0 && listening < max_listeners) {
			texts[listening] = *at + 7;
			listeners[listening].address = parse(*at + 7);
			paths |= by_path(&listeners[listening++].address);
		} else if (strncmp(*at, "connect=", 8) == 0 && connecting_to < max_listeners) {
			targets[connecting_to] = parse(*at + 8);
			target_paths |= by_path(&targets[connecting_to++]);
		}
	}
	if (listening == 0 || (connecting_to != 1 && connecting_to != listening))
		die("what is listened on and what is connected to do not match");
	maker = number_of(args, "maker", 10, 0);
	maker_group = number_of(args, "maker-group", 10, 0);
	with_header = number_of(args, "proxy", 10, 0) != 0;
	passes_files = listeners[0].address.to.any.sa_family == AF_UNIX && targets[0].to.any.sa_family == AF_UNIX;

	/* While there is the right to. */
	const char *pidfile = value_of(args, "pidfile");
	int file = pidfile ? open(pidfile, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600) : -1;

	if (file >= 0)
		dprintf(file, "%d %s\n", getpid(), listen_in ? listen_in : "0");

	if (listen_in)
		enter(listen_in, paths);
	for (size_t i = 0; i < listening; i++) {
		listeners[i].target = &targets[connecting_to == 1 ? 0 : i];
		open_listener(&listeners[i], texts[i], number_of(args, "owner", 10, 0), number_of(args, "group", 10, 0),
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

	epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (init >= 0)
		epoll_ctl(epoll_fd, EPOLL_CTL_ADD, init, &event);
	for (size_t i = 0; i < listening; i++) {
		event.data.ptr = &listeners[i];
		epoll_ctl(epoll_fd, EPOLL_CTL_ADD, listeners[i].fd, &event);
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
		loop();
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
