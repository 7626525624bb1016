#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

/* Of SFTP, version 3 (draft-ietf-secsh-filexfer-02). */
enum {
	FX_OK,
	FX_EOF,
	FX_NO_SUCH_FILE,
	FX_PERMISSION_DENIED,
	FX_FAILURE,
	FX_BAD_MESSAGE,
	FX_UNSUPPORTED = 8,
};

enum { max_packet = 256 * 1024, max_data = max_packet - 1024 };

/* What comes with a request, read from the front. Too short: `bad`, and zeros. */
struct reader {
	const unsigned char *at, *end;
	bool bad;
};

enum { ATTR_SIZE = 1, ATTR_OWNER = 2, ATTR_MODE = 4, ATTR_TIMES = 8, ATTR_EXTENDED = 0x80000000 };

struct attributes {
	uint32_t flags, uid, gid, mode, atime, mtime;
	uint64_t size;
};

uint32_t read_u32(struct reader *reader);
uint64_t read_u64(struct reader *reader);
/* Bytes with their length in front, not ended by NUL. */
const char *read_bytes(struct reader *reader, size_t *size);
/* The same as a text of its own until the next call with the same slot, 0 or 1; with a NUL inside or too long: `bad`. */
const char *read_text(struct reader *reader, int slot);
struct attributes read_attributes(struct reader *reader);

/* The answer is put together, then sent as soon as nothing more is asked. */
void begin(uint8_t type, uint32_t id);
void put_u32(uint32_t value);
void put_u64(uint64_t value);
void put_bytes(const void *data, size_t size);
void put_text(const char *text);
void put_attributes(const struct stat *st);
/* Room for up to `size` bytes, whose number is told afterwards. */
void *put_space(size_t size);
void put_used(size_t size);
size_t room(void);
/* A number that is known later. */
void *put_later(void);
void put_there(void *place, uint32_t value);
/* What was begun is not sent. */
void forget_answer(void);
/* The whole answer: what errno says, or a given status. */
void answer_errno(uint32_t id);
void answer_status(uint32_t id, uint32_t status, const char *text);
void send_answers(void);

/* paths.c: everything is found below the root, by the kernel, whoever moves things meanwhile. -1 and errno */
void use_descriptors(int directory);
/* Only to look at: never opens a device. `flags`: O_NOFOLLOW, O_DIRECTORY */
int look_up(const char *path, int flags);
/* The directory that a name is in, and the name. */
int look_up_parent(const char *path, const char **name);
/* A regular file, opened with these flags; O_CREAT with this mode. */
int open_file(const char *path, int flags, mode_t mode);
int open_directory(const char *path);
/* What was only looked at: chmod, utimensat and truncate. */
int change_mode(int fd, mode_t mode);
int change_times(int fd, const struct timespec times[2]);
int reopen(int fd, int flags);

/* sftp.c: until the other end is gone; the status to exit with */
int sftp(int descriptors);
/* requests.c: one request */
void serve_request(uint8_t type, uint32_t id, struct reader *reader);
