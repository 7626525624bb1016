#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include <lxc/lxccontainer.h>

/* The descriptor of the socket to the daemon. */
enum { control = 3 };

/* control.c: lines to and from the daemon */
int fail(const char *format, ...) __attribute__((format(printf, 1, 2)));
bool read_exactly(void *data, size_t size);
/* Does what the daemon's lines say; false when it is gone. `master` and `child`: -1 and 0 where there is none. */
bool read_control(int master, pid_t child, bool *killed);

/* terminal.c */
void resize(int master, unsigned columns, unsigned rows);
int console(char **args);
/* Serves a command, or a console (child 0, ended -1), until it and its output are over or the daemon is gone. */
void serve(int master, pid_t child, int ended);

/* attach-order.c: the pid of the helper, set before a command enters the container through liblxc */
extern pid_t entering;

/* exec.c */
int exec(char **args, char **argv);
/* The id on the host of an id in the container of `init`. */
uid_t on_host(pid_t init, uid_t inside);
gid_t group_on_host(pid_t init, gid_t inside);

/* inject.c: the status to exit with */
int inject(char **args);
int eject(char **args);

/* devices.c: the status to exit with */
int devices(const char *dir);

/* seal.c: returns at once when it runs from the copy already */
bool run_sealed(char **argv);

/* files.c: serves the files of an instance, and nothing else, on stdin and stdout; the status to exit with */
int files(char **args);

/* userns.c: one with these ranges, made by a child that is gone on return; -1 and errno. `u 0 1000000 65536`, `g …` */
int make_user_namespace(char **ranges);

/* shift.c: the status to exit with */
int shift(int argc, char **argv);
