#pragma once

#include "sftp.h"

#include <dirent.h>

/* requests.c */
/* errno where the result is below zero. */
void answer_done(uint32_t id, int result);
/* A number by which the client names it from now on. */
void answer_handle(uint32_t id, int fd, DIR *directory);
void answer_stat(uint32_t id, int fd);
int apply_attributes(int fd, const struct attributes *set);

/* names.c */
int set_attributes(const char *path, const struct attributes *set, int flags);
int with_two(const char *from, const char *to, int (*act)(int, const char *, int, const char *));
int link_hard(int from, const char *name, int to, const char *new_name);
/* Those that begin with a path, which is in slot 0. */
void path_request(uint8_t type, uint32_t id, struct reader *reader);
