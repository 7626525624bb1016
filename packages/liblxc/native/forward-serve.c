/* Connections, and sessions of datagrams, from where clients come in to where they are wanted. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

#include "forward.h"

enum {
	buffer_size = 32 * 1024,
	max_datagram = 65536,
	udp_idle_s = 120,
	max_udp_sessions = 4096,
	max_passed = 16,
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

static struct forwarding *all;
static struct connection *dead;
static size_t udp_sessions;

static void ask(struct end *end, uint32_t wanted)
{
	struct epoll_event event = { .events = wanted, .data.ptr = end };

	if (wanted == end->asked || end->fd < 0)
		return;
	/* One of which nothing is wanted is not watched: its end would be told again and again. */
	epoll_ctl(all->epoll_fd, end->asked == 0 ? EPOLL_CTL_ADD : wanted == 0 ? EPOLL_CTL_DEL : EPOLL_CTL_MOD, end->fd, &event);
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

	if (!all->passes_files)
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
	if (all->with_header)
		header(made);
	if (made->connecting)
		ask(&made->server, EPOLLOUT);
	else
		serve(made);
}

static void expire(void)
{
	time_t now = time(NULL);

	for (size_t i = 0; i < all->listening; i++)
		for (struct connection *at = all->listeners[i].sessions, *next; at; at = next) {
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

void serve_all(struct forwarding *what)
{
	struct epoll_event events[64];

	all = what;
	for (;;) {
		int count = epoll_wait(all->epoll_fd, events, 64, udp_sessions ? 10000 : -1);

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
