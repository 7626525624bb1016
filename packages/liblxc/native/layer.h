#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <time.h>

enum { max_path = 4096, max_xattrs = 256 };

struct xattr {
	const char *name, *value;
	size_t size;
};

struct member {
	char path[max_path], link[max_path];
	char type;
	mode_t mode;
	uint64_t uid, gid, size;
	struct timespec mtime;
	struct xattr xattrs[max_xattrs];
	int xattr_count;
};

_Noreturn __attribute__((format(printf, 1, 2))) void die(const char *format, ...);
void *need(void *memory);

/* How many bytes came; fewer only at the end. */
size_t read_some(void *data, size_t size);
void read_all(void *data, size_t size);
void skip(uint64_t size);
/* With what fills its last block. */
uint64_t padded(uint64_t size);
/* A name from the top of the root, without anything that means nothing; the root itself is ".". */
void clean(char *to, const char *from, const char *what);
/* What comes next, its content not yet read; false at the end. What it points to is good until the next. */
bool next_member(struct member *member);
