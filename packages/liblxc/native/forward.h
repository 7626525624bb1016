#pragma once

#include <netinet/in.h>
#include <stdbool.h>
#include <sys/socket.h>
#include <sys/un.h>

enum { max_listeners = 4096 };

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

/* What goes on between clients and those they are forwarded to. */
struct forwarding {
	int epoll_fd;
	struct listener listeners[max_listeners];
	size_t listening;
	/* A PROXY header goes first; descriptors that are sent along are passed on. */
	bool with_header, passes_files;
};

/* forward-address.c */
/* false: `text` is none, and `why` says so. */
bool parse_address(const char *text, struct address *found, char why[static 256]);
/* A socket in a filesystem. */
bool by_path(const struct address *address);

/* forward-serve.c: for ever */
void __attribute__((noreturn)) serve_all(struct forwarding *what);
