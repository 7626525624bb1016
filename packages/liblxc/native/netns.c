/*
 * The interfaces of a network namespace. A thread of its own enters it, asks, and ends: no other thread ever finds itself in
 * the wrong namespace, and no process is spawned. The answer is text, a line each:
 *   link NAME FLAGS MTU HWADDR | inet NAME ADDRESS PREFIX | inet6 NAME ADDRESS PREFIX
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <fcntl.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netpacket/packet.h>
#include <pthread.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "addon.h"

struct query {
	napi_async_work handle;
	napi_deferred deferred;
	int32_t pid;
	char *text;
	size_t size;
};

static unsigned prefix_of(const void *mask, size_t size)
{
	unsigned bits = 0;

	for (size_t i = 0; i < size; i++)
		bits += (unsigned)__builtin_popcount(((const unsigned char *)mask)[i]);
	return bits;
}

static void print_link(FILE *out, int sock, const struct ifaddrs *at)
{
	const struct sockaddr_ll *link = (const struct sockaddr_ll *)at->ifa_addr;
	struct ifreq request = { 0 };

	strncpy(request.ifr_name, at->ifa_name, sizeof(request.ifr_name) - 1);
	ioctl(sock, SIOCGIFMTU, &request);
	fprintf(out, "link %s %u %d ", at->ifa_name, at->ifa_flags, request.ifr_mtu);
	for (int i = 0; i < link->sll_halen && !(at->ifa_flags & IFF_LOOPBACK); i++)
		fprintf(out, "%s%02x", i ? ":" : "", link->sll_addr[i]);
	fprintf(out, "\n");
}

static void print_address(FILE *out, const struct ifaddrs *at)
{
	bool six = at->ifa_addr->sa_family == AF_INET6;
	const void *address = six ? (const void *)&((const struct sockaddr_in6 *)at->ifa_addr)->sin6_addr
				  : (const void *)&((const struct sockaddr_in *)at->ifa_addr)->sin_addr;
	const void *mask = six ? (const void *)&((const struct sockaddr_in6 *)at->ifa_netmask)->sin6_addr
			       : (const void *)&((const struct sockaddr_in *)at->ifa_netmask)->sin_addr;
	char text[INET6_ADDRSTRLEN];

	inet_ntop(at->ifa_addr->sa_family, address, text, sizeof(text));
	fprintf(out, "%s %s %s %u\n", six ? "inet6" : "inet", at->ifa_name, text, prefix_of(mask, six ? 16 : 4));
}

static void *ask(void *data)
{
	struct query *query = data;
	struct ifaddrs *list = NULL;
	char path[64];
	int ns = -1, sock = -1;
	FILE *out;

	if (query->pid > 0) {
		snprintf(path, sizeof(path), "/proc/%d/ns/net", query->pid);
		ns = open(path, O_RDONLY | O_CLOEXEC);
		if (ns < 0 || setns(ns, CLONE_NEWNET) < 0)
			goto end;
	}
	sock = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (sock < 0 || getifaddrs(&list) < 0)
		goto end;
	out = open_memstream(&query->text, &query->size);
	for (const struct ifaddrs *at = list; out && at; at = at->ifa_next) {
		if (!at->ifa_addr || (at->ifa_addr->sa_family != AF_PACKET && !at->ifa_netmask))
			continue;
		if (at->ifa_addr->sa_family == AF_PACKET)
			print_link(out, sock, at);
		else if (at->ifa_addr->sa_family == AF_INET || at->ifa_addr->sa_family == AF_INET6)
			print_address(out, at);
	}
	if (out)
		fclose(out);
	freeifaddrs(list);
end:
	if (sock >= 0)
		close(sock);
	if (ns >= 0)
		close(ns);
	return NULL;
}

static void run(napi_env env, void *data)
{
	struct query *query = data;
	pthread_t thread;

	(void)env;
	if (pthread_create(&thread, NULL, ask, query) == 0)
		pthread_join(thread, NULL);
}

static void complete(napi_env env, napi_status status, void *data)
{
	struct query *query = data;
	napi_value value;

	(void)status;
	if (query->text)
		napi_create_string_utf8(env, query->text, query->size, &value);
	else
		napi_get_undefined(env, &value);
	napi_resolve_deferred(env, query->deferred, value);
	napi_delete_async_work(env, query->handle);
	free(query->text);
	free(query);
}

napi_value lxd_interfaces(napi_env env, napi_callback_info info)
{
	struct query *query = calloc(1, sizeof(*query));
	napi_value arg, promise, label;
	size_t count = 1;

	if (!query)
		return lxd_throw_errno(env, "interfaces");
	napi_get_cb_info(env, info, &count, &arg, NULL, NULL);
	napi_get_value_int32(env, arg, &query->pid);
	napi_create_promise(env, &query->deferred, &promise);
	napi_create_string_utf8(env, "interfaces", NAPI_AUTO_LENGTH, &label);
	napi_create_async_work(env, NULL, label, run, complete, query, &query->handle);
	napi_queue_async_work(env, query->handle);
	return promise;
}
