/* tcp|udp:ADDRESS:PORT, unix:PATH or unix:@NAME, as the kernel has it. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "forward.h"

static bool __attribute__((format(printf, 2, 3))) refuse(char why[static 256], const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(why, 256, format, args);
	va_end(args);
	return false;
}

bool parse_address(const char *text, struct address *found, char why[static 256])
{
	char host[INET6_ADDRSTRLEN + 2] = "";
	const char *rest = strchr(text, ':'), *port;
	size_t length;

	memset(found, 0, sizeof(*found));
	if (!rest++)
		return refuse(why, "\"%s\" is no address", text);
	found->type = strncmp(text, "udp:", 4) == 0 ? SOCK_DGRAM : SOCK_STREAM;
	if (strncmp(text, "unix:", 5) == 0) {
		length = strlen(rest);
		if (length >= sizeof(found->to.local.sun_path))
			return refuse(why, "the path \"%s\" is too long for a socket", rest);
		found->to.local.sun_family = AF_UNIX;
		memcpy(found->to.local.sun_path, rest, length);
		found->size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length);
		if (*rest == '@')
			found->to.local.sun_path[0] = '\0';
		else
			found->size++;
		return true;
	}
	port = strrchr(rest, ':');
	length = port ? (size_t)(port - rest) : 0;
	if (length == 0 || length >= sizeof(host))
		return refuse(why, "\"%s\" is no address", text);
	memcpy(host, rest, length);
	if (*host == '[') {
		host[length - 1] = '\0';
		found->to.six.sin6_family = AF_INET6;
		found->to.six.sin6_port = htons((uint16_t)atoi(port + 1));
		found->size = sizeof(found->to.six);
		if (inet_pton(AF_INET6, host + 1, &found->to.six.sin6_addr) != 1)
			return refuse(why, "\"%s\" is no address", text);
	} else {
		found->to.four.sin_family = AF_INET;
		found->to.four.sin_port = htons((uint16_t)atoi(port + 1));
		found->size = sizeof(found->to.four);
		if (inet_pton(AF_INET, host, &found->to.four.sin_addr) != 1)
			return refuse(why, "\"%s\" is no address", text);
	}
	return true;
}

bool by_path(const struct address *address)
{
	return address->to.any.sa_family == AF_UNIX && address->to.local.sun_path[0];
}
