/*
 * The quick questions to liblxc, asked from inside the daemon. Nothing here forks: what does is in runtime.c.
 * Arguments are strings and numbers; a container is (lxcpath, name). An unknown item is undefined, a failure throws.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <lxc/lxccontainer.h>

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

/* Arguments of a call that begins with lxcpath and name. */
struct call {
	struct lxc_container *container;
	char *text[2];
	napi_value args[4];
};

static bool open_call(napi_env env, napi_callback_info info, struct call *call, size_t texts)
{
	size_t count = 4;
	char *path, *name;
	bool good;

	memset(call, 0, sizeof(*call));
	napi_get_cb_info(env, info, &count, call->args, NULL, NULL);
	path = lxd_string(env, call->args[0]);
	name = path ? lxd_string(env, call->args[1]) : NULL;
	good = name != NULL;
	for (size_t i = 0; good && i < texts; i++)
		good = (call->text[i] = lxd_string(env, call->args[2 + i])) != NULL;
	if (good)
		call->container = lxc_container_new(name, path);
	if (good && !call->container)
		napi_throw_error(env, NULL, "liblxc could not open the container");
	free(path);
	free(name);
	return call->container != NULL;
}

static void close_call(struct call *call)
{
	if (call->container)
		lxc_container_put(call->container);
	free(call->text[0]);
	free(call->text[1]);
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

static napi_value state(napi_env env, napi_callback_info info)
{
	struct call call;
	napi_value value = NULL;

	if (open_call(env, info, &call, 0))
		value = to_string(env, call.container->state(call.container));
	close_call(&call);
	return value;
}

static napi_value init_pid(napi_env env, napi_callback_info info)
{
	struct call call;
	napi_value value = NULL;

	if (open_call(env, info, &call, 0))
		napi_create_int32(env, call.container->init_pid(call.container), &value);
	close_call(&call);
	return value;
}

static napi_value config_item(napi_env env, napi_callback_info info)
{
	struct call call;
	napi_value value = NULL;
	char *text = NULL;

	if (open_call(env, info, &call, 1)) {
		/* liblxc asks nothing for what has no configuration, be it an empty one; ours is not in its place. */
		call.container->load_config(call.container, "/dev/null");
		text = call.container->get_running_config_item(call.container, call.text[0]);
	}
	value = to_string(env, text);
	free(text);
	close_call(&call);
	return value;
}

static napi_value cgroup_get(napi_env env, napi_callback_info info)
{
	struct call call;
	napi_value value = NULL;
	char *text = NULL;
	int size;

	if (open_call(env, info, &call, 1)) {
		size = call.container->get_cgroup_item(call.container, call.text[0], NULL, 0);
		if (size >= 0)
			text = calloc(1, (size_t)size + 1);
		if (text && call.container->get_cgroup_item(call.container, call.text[0], text, size + 1) >= 0)
			value = to_string(env, text);
	}
	free(text);
	close_call(&call);
	return value;
}

static napi_value cgroup_set(napi_env env, napi_callback_info info)
{
	struct call call;
	napi_value value = NULL;

	if (open_call(env, info, &call, 2))
		napi_get_boolean(env, call.container->set_cgroup_item(call.container, call.text[0], call.text[1]),
				 &value);
	close_call(&call);
	return value;
}

/* Signals the process behind a pid that is still the one meant: its pidfd is taken first, then `init_pid` asked again. */
static napi_value signal_init(napi_env env, napi_callback_info info)
{
	struct call call;
	napi_value value = NULL;
	int32_t number = 0;
	bool sent = false;
	pid_t pid;
	int fd;

	if (open_call(env, info, &call, 0)) {
		napi_get_value_int32(env, call.args[2], &number);
		pid = call.container->init_pid(call.container);
		fd = pid > 0 ? (int)syscall(SYS_pidfd_open, pid, 0) : -1;
		if (fd >= 0 && call.container->init_pid(call.container) == pid)
			sent = syscall(SYS_pidfd_send_signal, fd, number, NULL, 0) == 0;
		if (fd >= 0)
			close(fd);
		napi_get_boolean(env, sent, &value);
	}
	close_call(&call);
	return value;
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
	return export(env, exports, "watchExit", lxd_watch_exit);
}
