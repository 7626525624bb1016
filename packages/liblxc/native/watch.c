/*
 * Tells when processes end, children or not: one thread polls their pidfds and hands each end to the event loop.
 * It never keeps the daemon alive by itself. A watch is known by its number to the thread and to JavaScript, so that
 * an end and a cancellation may cross.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "addon.h"

struct watch {
	struct watch *next;
	uintptr_t number;
	int pidfd;
	napi_threadsafe_function callback;
};

static int epoll = -1;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct watch *watches;
static uintptr_t last_number;

/* Whoever comes first gets it; NULL for the other. */
static struct watch *take(uintptr_t number)
{
	struct watch *watch = NULL;

	pthread_mutex_lock(&lock);
	for (struct watch **at = &watches; *at; at = &(*at)->next) {
		if ((*at)->number == number) {
			watch = *at;
			*at = watch->next;
			break;
		}
	}
	pthread_mutex_unlock(&lock);
	return watch;
}

static void settle(uintptr_t number, bool ended)
{
	struct watch *watch = take(number);
	napi_status status = napi_ok;

	if (!watch)
		return;
	epoll_ctl(epoll, EPOLL_CTL_DEL, watch->pidfd, NULL);
	close(watch->pidfd);
	if (ended)
		status = napi_call_threadsafe_function(watch->callback, NULL, napi_tsfn_nonblocking);
	/* Not to be touched again when its environment is being torn down. */
	if (status != napi_closing)
		napi_release_threadsafe_function(watch->callback, napi_tsfn_release);
	free(watch);
}

static void *poll_ends(void *unused)
{
	struct epoll_event events[64];

	(void)unused;
	for (;;) {
		int count = epoll_wait(epoll, events, 64, -1);

		for (int i = 0; i < count; i++)
			settle((uintptr_t)events[i].data.u64, true);
	}
	return NULL;
}

static void start_thread(void)
{
	epoll = epoll_create1(EPOLL_CLOEXEC);
	if (epoll >= 0 && !lxd_thread(poll_ends)) {
		close(epoll);
		epoll = -1;
	}
}

static napi_value cancel(napi_env env, napi_callback_info info)
{
	void *number = NULL;

	napi_get_cb_info(env, info, NULL, NULL, NULL, &number);
	settle((uintptr_t)number, false);
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
		return errno == ESRCH ? NULL : lxd_throw_errno(env, "pidfd_open");
	pthread_once(&once, start_thread);
	watch = calloc(1, sizeof(*watch));
	napi_create_string_utf8(env, "watchExit", NAPI_AUTO_LENGTH, &label);
	if (!watch || napi_create_threadsafe_function(env, args[1], NULL, label, 0, 1, NULL, NULL, NULL, NULL,
						      &watch->callback) != napi_ok) {
		close(pidfd);
		free(watch);
		return lxd_throw_errno(env, "watchExit");
	}
	napi_unref_threadsafe_function(env, watch->callback);
	watch->pidfd = pidfd;
	pthread_mutex_lock(&lock);
	event.data.u64 = watch->number = ++last_number;
	watch->next = watches;
	watches = watch;
	pthread_mutex_unlock(&lock);

	/* From here on it is the thread's as much as ours. */
	if (epoll_ctl(epoll, EPOLL_CTL_ADD, pidfd, &event) < 0) {
		settle((uintptr_t)event.data.u64, false);
		return lxd_throw_errno(env, "epoll_ctl");
	}
	napi_create_function(env, "cancel", NAPI_AUTO_LENGTH, cancel, (void *)(uintptr_t)event.data.u64, &handle);
	return handle;
}
