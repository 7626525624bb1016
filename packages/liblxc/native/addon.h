#pragma once

#define NAPI_VERSION 8
#include <node_api.h>

/* A malloc'ed copy of a JavaScript string; NULL after throwing. */
char *lxd_string(napi_env env, napi_value value);
napi_value lxd_throw_errno(napi_env env, const char *what);

/* freezer.c: (lxcpath, name) → promise of a boolean */
napi_value lxd_freeze(napi_env env, napi_callback_info info);
napi_value lxd_unfreeze(napi_env env, napi_callback_info info);

/* watch.c: (pid, callback) → function that ends the watch; undefined when there is no such process */
napi_value lxd_watch_exit(napi_env env, napi_callback_info info);

/* netns.c: (pid of a process in the namespace, 0: our own) → promise of text, undefined when it cannot be entered */
napi_value lxd_interfaces(napi_env env, napi_callback_info info);
