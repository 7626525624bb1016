/* Freezing waits for every task of the cgroup, so it runs beside the event loop. */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "addon.h"

struct work {
	napi_async_work handle;
	napi_deferred deferred;
	char *path, *name;
	bool freeze, done;
};

/*
 * With cgroup v1 liblxc sleeps a second when not every task is frozen at its first look, and for ever on one that cannot be.
 * So the kernel is asked beforehand, more often and not for ever; liblxc finds it done. False: it could not be done.
 */
static bool settle_v1(struct lxc_container *container, const char *state)
{
	const struct timespec pause = { .tv_nsec = 500 * 1000 };
	char now[32] = "";

	/* No such file with cgroup v2, where liblxc waits well. */
	if (container->get_cgroup_item(container, "freezer.state", now, sizeof(now)) <= 0)
		return true;
	for (int i = 0; i < 20000; i++) {
		if (!container->set_cgroup_item(container, "freezer.state", state))
			return false;
		if (container->get_cgroup_item(container, "freezer.state", now, sizeof(now)) <= 0)
			return false;
		if (strncmp(now, state, strlen(state)) == 0)
			return true;
		nanosleep(&pause, NULL);
	}
	container->set_cgroup_item(container, "freezer.state", "THAWED");
	return false;
}

static void run(napi_env env, void *data)
{
	struct work *work = data;
	struct lxc_container *container = lxc_container_new(work->name, work->path);

	(void)env;
	if (!container)
		return;
	/* As for a configuration item: an empty one will do. */
	container->load_config(container, "/dev/null");
	work->done = settle_v1(container, work->freeze ? "FROZEN" : "THAWED") &&
		     (work->freeze ? container->freeze(container) : container->unfreeze(container));
	lxc_container_put(container);
}

static void complete(napi_env env, napi_status status, void *data)
{
	struct work *work = data;
	napi_value value;

	(void)status;
	napi_get_boolean(env, work->done, &value);
	napi_resolve_deferred(env, work->deferred, value);
	napi_delete_async_work(env, work->handle);
	free(work->path);
	free(work->name);
	free(work);
}

static napi_value start(napi_env env, napi_callback_info info, bool freeze)
{
	size_t count = 2;
	napi_value args[2], promise = NULL, label;
	struct work *work = calloc(1, sizeof(*work));

	napi_get_cb_info(env, info, &count, args, NULL, NULL);
	if (!work)
		return lxd_throw_errno(env, "freezer");
	work->freeze = freeze;
	work->path = lxd_string(env, args[0]);
	work->name = work->path ? lxd_string(env, args[1]) : NULL;
	if (!work->name) {
		free(work->path);
		free(work);
		return NULL;
	}
	napi_create_promise(env, &work->deferred, &promise);
	napi_create_string_utf8(env, "freezer", NAPI_AUTO_LENGTH, &label);
	napi_create_async_work(env, NULL, label, run, complete, work, &work->handle);
	napi_queue_async_work(env, work->handle);
	return promise;
}

napi_value lxd_freeze(napi_env env, napi_callback_info info)
{
	return start(env, info, true);
}

napi_value lxd_unfreeze(napi_env env, napi_callback_info info)
{
	return start(env, info, false);
}
