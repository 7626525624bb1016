/* SFTP on stdin and stdout: the packets. Answers are kept until there is no whole request left to answer. */
#define _GNU_SOURCE
#include <endian.h>
#include <errno.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

#include "sftp.h"

/* Two packets' worth: one may be half there behind one that is whole. */
static unsigned char in[2 * (max_packet + 4)], out[4 * (max_packet + 4)];
static size_t in_used, out_used, packet;

uint32_t read_u32(struct reader *reader)
{
	uint32_t value;

	if (reader->end - reader->at < (ptrdiff_t)sizeof(value)) {
		reader->bad = true;
		reader->at = reader->end;
		return 0;
	}
	memcpy(&value, reader->at, sizeof(value));
	reader->at += sizeof(value);
	return be32toh(value);
}

uint64_t read_u64(struct reader *reader)
{
	uint64_t high = read_u32(reader);

	return high << 32 | read_u32(reader);
}

const char *read_bytes(struct reader *reader, size_t *size)
{
	const unsigned char *data;

	*size = read_u32(reader);
	if ((size_t)(reader->end - reader->at) < *size) {
		reader->bad = true;
		*size = 0;
	}
	data = reader->at;
	reader->at += *size;
	return (const char *)data;
}

const char *read_text(struct reader *reader, int slot)
{
	static char texts[2][PATH_MAX];
	size_t size;
	const char *data = read_bytes(reader, &size);

	if (size >= sizeof(texts[0]) || memchr(data, 0, size)) {
		reader->bad = true;
		size = 0;
	}
	memcpy(texts[slot], data, size);
	texts[slot][size] = '\0';
	return texts[slot];
}

struct attributes read_attributes(struct reader *reader)
{
	struct attributes attributes = { .flags = read_u32(reader) };
	size_t size;

	if (attributes.flags & ATTR_SIZE)
		attributes.size = read_u64(reader);
	if (attributes.flags & ATTR_OWNER) {
		attributes.uid = read_u32(reader);
		attributes.gid = read_u32(reader);
	}
	if (attributes.flags & ATTR_MODE)
		attributes.mode = read_u32(reader);
	if (attributes.flags & ATTR_TIMES) {
		attributes.atime = read_u32(reader);
		attributes.mtime = read_u32(reader);
	}
	if (attributes.flags & ATTR_EXTENDED)
		for (uint32_t count = read_u32(reader); count > 0 && !reader->bad; count--) {
			read_bytes(reader, &size);
			read_bytes(reader, &size);
		}
	return attributes;
}

static void put(const void *data, size_t size)
{
	memcpy(out + out_used, data, size);
	out_used += size;
	/* How long the packet is by now. */
	uint32_t length = htobe32((uint32_t)(out_used - packet - 4));

	memcpy(out + packet, &length, sizeof(length));
}

void begin(uint8_t type, uint32_t id)
{
	if (sizeof(out) - out_used < max_packet + 4)
		send_answers();
	packet = out_used;
	out_used += 4;
	put(&type, 1);
	put_u32(id);
}

void put_u32(uint32_t value)
{
	value = htobe32(value);
	put(&value, sizeof(value));
}

void put_u64(uint64_t value)
{
	value = htobe64(value);
	put(&value, sizeof(value));
}

void put_bytes(const void *data, size_t size)
{
	put_u32((uint32_t)size);
	put(data, size);
}

void put_text(const char *text)
{
	put_bytes(text, strlen(text));
}

void put_attributes(const struct stat *st)
{
	put_u32(ATTR_SIZE | ATTR_OWNER | ATTR_MODE | ATTR_TIMES);
	put_u64((uint64_t)st->st_size);
	put_u32(st->st_uid);
	put_u32(st->st_gid);
	put_u32(st->st_mode);
	put_u32((uint32_t)st->st_atime);
	put_u32((uint32_t)st->st_mtime);
}

void *put_space(size_t size)
{
	(void)size;
	return out + out_used + 4;
}

void put_used(size_t size)
{
	put_u32((uint32_t)size);
	put(out + out_used, size);
}

void *put_later(void)
{
	put_u32(0);
	return out + out_used - 4;
}

void put_there(void *place, uint32_t value)
{
	value = htobe32(value);
	memcpy(place, &value, sizeof(value));
}

void forget_answer(void)
{
	out_used = packet;
}

size_t room(void)
{
	return max_packet - (out_used - packet);
}

void answer_status(uint32_t id, uint32_t status, const char *text)
{
	begin(101, id);
	put_u32(status);
	put_text(text);
	put_text("");
}

void answer_errno(uint32_t id)
{
	switch (errno) {
	case ENOENT:
		answer_status(id, FX_NO_SUCH_FILE, "No such file or directory");
		return;
	case EACCES:
	case EPERM:
	case EROFS:
		answer_status(id, FX_PERMISSION_DENIED, strerror(errno));
		return;
	default:
		answer_status(id, FX_FAILURE, errno == ENXIO ? "Not a regular file" : strerror(errno));
	}
}

void send_answers(void)
{
	for (size_t done = 0; done < out_used;) {
		ssize_t sent = write(STDOUT_FILENO, out + done, out_used - done);

		if (sent < 0 && errno == EINTR)
			continue;
		if (sent <= 0)
			_exit(0);
		done += (size_t)sent;
	}
	out_used = 0;
}

/* Answers what is whole in the buffer; false: what came is no request. */
static bool serve_buffer(void)
{
	size_t at = 0;

	for (;;) {
		struct reader reader = { in + at, in + in_used, false };
		uint32_t length, id;
		uint8_t type;

		if (in_used - at < 4)
			break;
		length = read_u32(&reader);
		if (length < 5 || length > max_packet)
			return false;
		if (in_used - at - 4 < length)
			break;
		reader.end = reader.at + length;
		type = *reader.at++;
		id = read_u32(&reader);
		serve_request(type, id, &reader);
		at += 4 + length;
	}
	memmove(in, in + at, in_used - at);
	in_used -= at;
	return true;
}

int sftp(int descriptors)
{
	use_descriptors(descriptors);
	for (;;) {
		ssize_t got = read(STDIN_FILENO, in + in_used, sizeof(in) - in_used);

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return 0;
		in_used += (size_t)got;
		if (!serve_buffer())
			return 1;
		send_answers();
	}
}
