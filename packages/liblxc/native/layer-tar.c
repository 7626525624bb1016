/* A tarball on stdin, entry by entry: ustar with the extensions of POSIX (pax) and of GNU for long names. */
#define _GNU_SOURCE
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "layer.h"

enum { block = 512, max_pax = 4 << 20 };

struct header {
	char name[100], mode[8], uid[8], gid[8], size[12], mtime[12], sum[8], type, link[100], magic[6], version[2];
	char user[32], group[32], major[8], minor[8], prefix[155], pad[12];
};
_Static_assert(sizeof(struct header) == block, "a header of tar is one block");

/* What extended headers say of the next entry. */
static struct {
	char *text, *path, *link;
	bool has_size, has_uid, has_gid, has_mtime;
	struct member said;
} next;

_Noreturn void die(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	fputs("the layer cannot be unpacked: ", stderr);
	vfprintf(stderr, format, args);
	fputc('\n', stderr);
	exit(1);
}

void *need(void *memory)
{
	if (!memory)
		die("out of memory");
	return memory;
}

size_t read_some(void *data, size_t size)
{
	size_t done = 0;

	while (done < size) {
		ssize_t got = read(STDIN_FILENO, (char *)data + done, size - done);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			die("it cannot be read: %m");
		if (got == 0)
			break;
		done += (size_t)got;
	}
	return done;
}

void read_all(void *data, size_t size)
{
	if (read_some(data, size) != size)
		die("it ends too early");
}

uint64_t padded(uint64_t size)
{
	return (size + block - 1) / block * block;
}

void skip(uint64_t size)
{
	static char buffer[1 << 16];

	while (size > 0) {
		size_t part = size < sizeof(buffer) ? (size_t)size : sizeof(buffer);

		read_all(buffer, part);
		size -= part;
	}
}

/* Octal digits, or a binary number where they would not do. */
static uint64_t number(const char *text, size_t length)
{
	uint64_t value = 0;
	size_t at = 0;

	if ((unsigned char)text[0] & 0x80) {
		if ((unsigned char)text[0] != 0x80)
			die("a number of it is negative or too large");
		for (at = 1; at < length; at++) {
			if (value >> 55)
				die("a number of it is too large");
			value = value << 8 | (unsigned char)text[at];
		}
		return value;
	}
	while (at < length && text[at] == ' ')
		at++;
	for (; at < length && text[at] >= '0' && text[at] <= '7'; at++)
		value = value << 3 | (uint64_t)(text[at] - '0');
	if (at < length && text[at] != ' ' && text[at] != '\0')
		die("it is no tarball: a number has other signs");
	return value;
}

static void check_sum(const struct header *header)
{
	const unsigned char *bytes = (const unsigned char *)header;
	uint64_t sum = 0;

	for (size_t i = 0; i < block; i++)
		sum += i >= offsetof(struct header, sum) && i < offsetof(struct header, type) ? ' ' : bytes[i];
	if (sum != number(header->sum, sizeof(header->sum)))
		die("it is no tarball, or a damaged one: a checksum is wrong");
}

void clean(char *to, const char *from, const char *what)
{
	size_t used = 0;

	for (const char *part = from; *part;) {
		size_t length = strcspn(part, "/");

		if (length == 2 && strncmp(part, "..", 2) == 0)
			die("%s \"%s\" leads out of it", what, from);
		if (length > 0 && !(length == 1 && *part == '.')) {
			if (used + length + 2 > max_path)
				die("%s is too long", what);
			if (used > 0)
				to[used++] = '/';
			memcpy(to + used, part, length);
			used += length;
		}
		part += length;
		while (*part == '/')
			part++;
	}
	if (used == 0)
		to[used++] = '.';
	to[used] = '\0';
}

static int64_t decimal(const char *text, const char **end)
{
	char *stop;
	long long value;

	errno = 0;
	value = strtoll(text, &stop, 10);
	if (stop == text || errno)
		die("an extended header has \"%s\" for a number", text);
	if (end)
		*end = stop;
	return value;
}

static uint64_t natural(const char *text)
{
	int64_t value = decimal(text, NULL);

	if (value < 0)
		die("an extended header has a number below zero");
	return (uint64_t)value;
}

static struct timespec time_of(const char *text)
{
	const char *rest;
	struct timespec time = { .tv_sec = decimal(text, &rest) };
	long unit = 100000000;

	if (*rest == '.' && *text != '-')
		for (rest++; *rest >= '0' && *rest <= '9' && unit > 0; rest++, unit /= 10)
			time.tv_nsec += (*rest - '0') * unit;
	return time;
}

static void pax_record(char *key, char *value, size_t size)
{
	static const char xattr[] = "SCHILY.xattr.";

	if (strcmp(key, "path") == 0)
		next.path = value;
	else if (strcmp(key, "linkpath") == 0)
		next.link = value;
	else if (strcmp(key, "size") == 0)
		next.has_size = true, next.said.size = natural(value);
	else if (strcmp(key, "uid") == 0)
		next.has_uid = true, next.said.uid = natural(value);
	else if (strcmp(key, "gid") == 0)
		next.has_gid = true, next.said.gid = natural(value);
	else if (strcmp(key, "mtime") == 0)
		next.has_mtime = true, next.said.mtime = time_of(value);
	else if (strncmp(key, "GNU.sparse.", 11) == 0)
		die("it has sparse files, which are not known here");
	else if (strncmp(key, xattr, sizeof(xattr) - 1) == 0) {
		if (next.said.xattr_count == max_xattrs)
			die("a file has more than %d extended attributes", max_xattrs);
		next.said.xattrs[next.said.xattr_count++] =
			(struct xattr){ .name = key + sizeof(xattr) - 1, .value = value, .size = size };
	}
}

static char *read_text(uint64_t size)
{
	char *text;

	if (size > max_pax)
		die("an extended header is too large");
	text = need(malloc(size + 1));
	read_all(text, size);
	text[size] = '\0';
	skip(padded(size) - size);
	return text;
}

/* Records of "LENGTH KEY=VALUE" and a newline. The text is kept as long as what it says. */
static void read_pax(uint64_t size)
{
	char *at, *end;

	if (next.text)
		die("it has two extended headers in a row");
	at = next.text = read_text(size);
	end = at + size;
	while (at < end) {
		char *key, *value;
		unsigned long length = strtoul(at, &key, 10);

		if (key == at || *key != ' ' || length > (size_t)(end - at) || at + length <= key + 1 || at[length - 1] != '\n')
			die("an extended header is damaged");
		at[length - 1] = '\0';
		key++;
		value = memchr(key, '=', (size_t)(at + length - key));
		if (!value)
			die("an extended header is damaged");
		*value++ = '\0';
		pax_record(key, value, (size_t)(at + length - 1 - value));
		at += length;
	}
}

static uint64_t id_of(uint64_t id)
{
	if (id >= UINT32_MAX)
		die("the owner of a file is out of range");
	return id;
}

/* What the header says, and above it what came before it. */
static void fill(struct member *entry, const struct header *header, const char *long_name, const char *long_link)
{
	char name[sizeof(header->prefix) + sizeof(header->name) + 2], link[sizeof(header->link) + 1];
	bool is_ustar = memcmp(header->magic, "ustar\0", 6) == 0;
	const char *linked;

	*entry = next.said;
	entry->type = header->type;
	entry->mode = (mode_t)number(header->mode, sizeof(header->mode)) & 07777;
	if (!next.has_uid)
		entry->uid = number(header->uid, sizeof(header->uid));
	if (!next.has_gid)
		entry->gid = number(header->gid, sizeof(header->gid));
	if (!next.has_size)
		entry->size = number(header->size, sizeof(header->size));
	if (!next.has_mtime)
		entry->mtime = (struct timespec){ .tv_sec = (time_t)number(header->mtime, sizeof(header->mtime)) };
	entry->uid = id_of(entry->uid);
	entry->gid = id_of(entry->gid);
	if (is_ustar && header->prefix[0])
		snprintf(name, sizeof(name), "%.*s/%.*s", (int)sizeof(header->prefix), header->prefix,
			 (int)sizeof(header->name), header->name);
	else
		snprintf(name, sizeof(name), "%.*s", (int)sizeof(header->name), header->name);
	snprintf(link, sizeof(link), "%.*s", (int)sizeof(header->link), header->link);
	clean(entry->path, next.path ? next.path : long_name ? long_name : name, "a name");
	linked = next.link ? next.link : long_link ? long_link : link;
	if (strlen(linked) >= max_path)
		die("the target of a link is too long");
	strcpy(entry->link, linked);
	/* Old archives end the names of directories so. */
	if ((entry->type == '\0' || entry->type == '0') && !next.path && !long_name && name[0] &&
	    name[strlen(name) - 1] == '/')
		entry->type = '5';
}

bool next_member(struct member *member)
{
	static const char nothing[block];
	char *long_name = NULL, *long_link = NULL;
	struct header header;

	free(next.text);
	memset(&next, 0, sizeof(next));
	for (;;) {
		size_t got = read_some(&header, block);
		uint64_t size;

		if (got == 0 || (got == block && memcmp(&header, nothing, block) == 0))
			return false;
		if (got != block)
			die("it ends too early");
		check_sum(&header);
		size = number(header.size, sizeof(header.size));
		switch (header.type) {
		case 'x':
			read_pax(size);
			continue;
		case 'g':
			/* Of the archive as a whole: nothing that a file is made of. */
			skip(padded(size));
			continue;
		case 'L':
			free(long_name);
			long_name = read_text(size);
			continue;
		case 'K':
			free(long_link);
			long_link = read_text(size);
			continue;
		default:
			fill(member, &header, long_name, long_link);
			free(long_name);
			free(long_link);
			return true;
		}
	}
}
