#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <lxc/lxccontainer.h>

#define NAPI_VERSION 8
#include <node_api.h>

/* A malloc'ed copy of a JavaScript string; NULL after throwing. */
char *lxd_string(napi_env env, napi_value value);
napi_value lxd_throw_errno(napi_env env, const char *what);

/* A thread of our own, that no signal of Node's goes to. False when there can be none. */
bool lxd_thread(void *(*run)(void *));

/* ask.c */
struct lxd_question;
/* Called beside the event loop. */
typedef void lxd_answer(struct lxd_question *question, struct lxc_container *container);

struct lxd_question {
	lxd_answer *answer;
	char *path, *name;
	/* Arguments after path and name: texts, or one number. */
	char *text[2];
	int32_t number;
	/* The answer: malloc'ed text, or a number. */
	char *found;
	int32_t value;
	/* ask.c's own */
	bool done, late;
	struct lxd_question *next;
};

/* The answered question; NULL after throwing, with code ETIMEDOUT when the container's monitor hangs. */
struct lxd_question *lxd_ask(napi_env env, napi_callback_info info, size_t texts, lxd_answer *answer);
void lxd_forget(struct lxd_question *question);

/* freezer.c: (lxcpath, name) → promise of a boolean */
napi_value lxd_freeze(napi_env env, napi_callback_info info);
napi_value lxd_unfreeze(napi_env env, napi_callback_info info);

/* watch.c: (pid, callback) → function that ends the watch; undefined when there is no such process */
napi_value lxd_watch_exit(napi_env env, napi_callback_info info);

/* netns.c: (pid of a process in the namespace, 0: our own) → promise of text, undefined when it cannot be entered */
napi_value lxd_interfaces(napi_env env, napi_callback_info info);

/* subvolume.c: (path of a writable btrfs subvolume, UUID of 16 bytes): what it was received from */
napi_value lxd_set_received(napi_env env, napi_callback_info info);
