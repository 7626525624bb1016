/*
 * Tells when processes end, children or not: one thread polls their pidfds and hands each end to the event loop.
 * It never keeps the daemon alive by itself.
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "addon.h"

struct watch {
	int pidfd;
	napi_threadsafe_function callback;
	/* Both the thread and JavaScript's handle hold it. */
	atomic_int references;
	atomic_bool settled;
};

static int epoll = -1;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void put(struct watch *watch)
{
	if (atomic_fetch_sub(&watch->references, 1) == 1)
		free(watch);
}

/* Whoever comes first, the end or the cancellation, takes the descriptor and the callback with it. */
static void settle(struct watch *watch, bool ended)
{
	if (atomic_exchange(&watch->settled, true))
		return;
	epoll_ctl(epoll, EPOLL_CTL_DEL, watch->pidfd, NULL);
	close(watch->pidfd);
	if (ended)
		napi_call_threadsafe_function(watch->callback, NULL, napi_tsfn_nonblocking);
	napi_release_threadsafe_function(watch->callback, napi_tsfn_release);
}

static void *poll_ends(void *unused)
{
	struct epoll_event events[64];

	(void)unused;
	for (;;) {
		int count = epoll_wait(epoll, events, 64, -1);

		for (int i = 0; i < count; i++) {
			struct watch *watch = events[i].data.ptr;

			settle(watch, true);
			put(watch);
		}
	}
	return NULL;
}

static void start_thread(void)
{
	pthread_attr_t attributes;
	pthread_t thread;

	epoll = epoll_create1(EPOLL_CLOEXEC);
	pthread_attr_init(&attributes);
	pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
	pthread_attr_setstacksize(&attributes, 128 * 1024);
	pthread_create(&thread, &attributes, poll_ends, NULL);
	pthread_attr_destroy(&attributes);
}

static void finalize(napi_env env, void *data, void *hint)
{
	(void)env;
	(void)hint;
	put(data);
}

static napi_value cancel(napi_env env, napi_callback_info info)
{
	void *data = NULL;

	napi_get_cb_info(env, info, NULL, NULL, NULL, &data);
	if (data)
		settle(data, false);
	return NULL;
}

napi_value lxd_watch_exit(napi_env env, napi_callback_info info)
{
	size_t count = 2;
	napi_value args[2], label, handle;
	struct epoll_event event = { .events = EPOLLIN | EPOLLONESHOT };
	struct watch *watch;
	int32_t pid = 0;
	int pidfd;

	napi_get_cb_info(env, info, &count, args, NULL, NULL);
	napi_get_value_int32(env, args[0], &pid);
	pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	if (pidfd < 0)
		return NULL;
	pthread_once(&once, start_thread);

	watch = calloc(1, sizeof(*watch));
	watch->pidfd = pidfd;
	/* The thread's, the handle's. A cancelled watch keeps the thread's: its event may be on the way. */
	atomic_init(&watch->references, 2);
	napi_create_string_utf8(env, "watchExit", NAPI_AUTO_LENGTH, &label);
	napi_create_threadsafe_function(env, args[1], NULL, label, 0, 1, NULL, NULL, NULL, NULL, &watch->callback);
	napi_unref_threadsafe_function(env, watch->callback);
	napi_create_function(env, "cancel", NAPI_AUTO_LENGTH, cancel, watch, &handle);
	napi_add_finalizer(env, handle, watch, finalize, NULL, NULL);

	event.data.ptr = watch;
	if (epoll_ctl(epoll, EPOLL_CTL_ADD, pidfd, &event) < 0) {
		settle(watch, false);
		return lxd_throw_errno(env, "epoll_ctl");
	}
	return handle;
}
