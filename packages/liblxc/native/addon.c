/*
 * The quick questions to liblxc, asked from inside the daemon. Nothing here forks: what does is in runtime.c.
 * Arguments are strings and numbers; a container is (lxcpath, name). An unknown item is undefined, a failure throws.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "addon.h"

char *lxd_string(napi_env env, napi_value value)
{
	size_t size = 0;
	char *text;

	if (napi_get_value_string_utf8(env, value, NULL, 0, &size) != napi_ok) {
		napi_throw_type_error(env, NULL, "a string was expected");
		return NULL;
	}
	text = malloc(size + 1);
	if (!text)
		napi_throw_error(env, NULL, "out of memory");
	else
		napi_get_value_string_utf8(env, value, text, size + 1, &size);
	return text;
}

napi_value lxd_throw_errno(napi_env env, const char *what)
{
	char message[256];

	snprintf(message, sizeof(message), "%s: %s", what, strerror(errno));
	napi_throw_error(env, NULL, message);
	return NULL;
}

bool lxd_thread(void *(*run)(void *))
{
	pthread_attr_t attributes;
	sigset_t all, before;
	pthread_t thread;
	bool started;

	pthread_attr_init(&attributes);
	pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
	pthread_attr_setstacksize(&attributes, 512 * 1024);
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	started = pthread_create(&thread, &attributes, run, NULL) == 0;
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	pthread_attr_destroy(&attributes);
	return started;
}

static napi_value to_string(napi_env env, const char *text)
{
	napi_value value = NULL;

	if (text)
		napi_create_string_utf8(env, text, NAPI_AUTO_LENGTH, &value);
	return value;
}

static napi_value version(napi_env env, napi_callback_info info)
{
	(void)info;
	return to_string(env, lxc_get_version());
}

/* Names of containers whose monitor is alive. */
static napi_value active(napi_env env, napi_callback_info info)
{
	size_t count = 1;
	napi_value arg, list, item;
	char **names = NULL;
	char *path;
	int found;

	napi_get_cb_info(env, info, &count, &arg, NULL, NULL);
	path = lxd_string(env, arg);
	if (!path)
		return NULL;
	found = list_active_containers(path, &names, NULL);
	free(path);
	napi_create_array(env, &list);
	for (int i = 0; i < found; i++) {
		napi_create_string_utf8(env, names[i], NAPI_AUTO_LENGTH, &item);
		napi_set_element(env, list, (uint32_t)i, item);
		free(names[i]);
	}
	if (found >= 0)
		free(names);
	return list;
}

static void ask_state(struct lxd_question *question, struct lxc_container *container)
{
	const char *state = container->state(container);

	question->found = state ? strdup(state) : NULL;
}

static void ask_init_pid(struct lxd_question *question, struct lxc_container *container)
{
	question->value = container->init_pid(container);
}

static void ask_config_item(struct lxd_question *question, struct lxc_container *container)
{
	/* liblxc asks nothing for what has no configuration, be it an empty one; ours is not in its place. */
	container->load_config(container, "/dev/null");
	question->found = container->get_running_config_item(container, question->text[0]);
}

static void ask_cgroup_get(struct lxd_question *question, struct lxc_container *container)
{
	int size = container->get_cgroup_item(container, question->text[0], NULL, 0);
	char *text = size >= 0 ? calloc(1, (size_t)size + 1) : NULL;

	if (text && container->get_cgroup_item(container, question->text[0], text, size + 1) >= 0)
		question->found = text;
	else
		free(text);
}

static void ask_cgroup_set(struct lxd_question *question, struct lxc_container *container)
{
	question->value = container->set_cgroup_item(container, question->text[0], question->text[1]);
}

/* Signals the process behind a pid that is still the one meant: its pidfd is taken first, then `init_pid` asked again. */
static void ask_signal_init(struct lxd_question *question, struct lxc_container *container)
{
	pid_t pid = container->init_pid(container);
	int fd = pid > 0 ? (int)syscall(SYS_pidfd_open, pid, 0) : -1;

	if (fd >= 0 && container->init_pid(container) == pid)
		question->value = syscall(SYS_pidfd_send_signal, fd, question->number, NULL, 0) == 0;
	if (fd >= 0)
		close(fd);
}

static napi_value ask_text(napi_env env, napi_callback_info info, size_t texts, lxd_answer *answer)
{
	struct lxd_question *question = lxd_ask(env, info, texts, answer);
	napi_value value = question ? to_string(env, question->found) : NULL;

	lxd_forget(question);
	return value;
}

static napi_value ask_number(napi_env env, napi_callback_info info, size_t texts, lxd_answer *answer)
{
	struct lxd_question *question = lxd_ask(env, info, texts, answer);
	napi_value value = NULL;

	if (question)
		napi_create_int32(env, question->value, &value);
	lxd_forget(question);
	return value;
}

static napi_value state(napi_env env, napi_callback_info info)
{
	return ask_text(env, info, 0, ask_state);
}

static napi_value init_pid(napi_env env, napi_callback_info info)
{
	return ask_number(env, info, 0, ask_init_pid);
}

static napi_value config_item(napi_env env, napi_callback_info info)
{
	return ask_text(env, info, 1, ask_config_item);
}

static napi_value cgroup_get(napi_env env, napi_callback_info info)
{
	return ask_text(env, info, 1, ask_cgroup_get);
}

static napi_value cgroup_set(napi_env env, napi_callback_info info)
{
	return ask_number(env, info, 2, ask_cgroup_set);
}

static napi_value signal_init(napi_env env, napi_callback_info info)
{
	return ask_number(env, info, 0, ask_signal_init);
}

/* A real pipe as [read end, write end]: Node's own are sockets, which a program cannot open by name. */
static napi_value make_pipe(napi_env env, napi_callback_info info)
{
	napi_value list, item;
	int fds[2];

	(void)info;
	if (pipe2(fds, O_CLOEXEC) < 0)
		return lxd_throw_errno(env, "pipe2");
	napi_create_array_with_length(env, 2, &list);
	for (uint32_t i = 0; i < 2; i++) {
		napi_create_int32(env, fds[i], &item);
		napi_set_element(env, list, i, item);
	}
	return list;
}

/* Bytes that wait in a pipe; -1 when it is closed. */
static napi_value pending(napi_env env, napi_callback_info info)
{
	size_t count = 1;
	napi_value arg, value;
	int32_t fd = -1;
	int bytes = 0;

	napi_get_cb_info(env, info, &count, &arg, NULL, NULL);
	napi_get_value_int32(env, arg, &fd);
	if (ioctl(fd, FIONREAD, &bytes) < 0)
		bytes = -1;
	napi_create_int32(env, bytes, &value);
	return value;
}

static napi_value export(napi_env env, napi_value exports, const char *name, napi_callback function)
{
	napi_value value;

	napi_create_function(env, name, NAPI_AUTO_LENGTH, function, NULL, &value);
	napi_set_named_property(env, exports, name, value);
	return exports;
}

NAPI_MODULE_INIT()
{
	export(env, exports, "version", version);
	export(env, exports, "active", active);
	export(env, exports, "state", state);
	export(env, exports, "initPid", init_pid);
	export(env, exports, "configItem", config_item);
	export(env, exports, "cgroupGet", cgroup_get);
	export(env, exports, "cgroupSet", cgroup_set);
	export(env, exports, "signalInit", signal_init);
	export(env, exports, "makePipe", make_pipe);
	export(env, exports, "pending", pending);
	export(env, exports, "freeze", lxd_freeze);
	export(env, exports, "unfreeze", lxd_unfreeze);
	export(env, exports, "interfaces", lxd_interfaces);
	export(env, exports, "setReceived", lxd_set_received);
	return export(env, exports, "watchExit", lxd_watch_exit);
}
