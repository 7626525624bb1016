/* What SFTP asks for, done: of what is open, and which is which. */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>

#include "requests.h"

enum { max_handles = 512, list_bytes = 64 * 1024, longest_entry = 2048 };

static struct handle {
	int fd;
	DIR *directory;
	bool used;
} handles[max_handles];

void answer_done(uint32_t id, int result)
{
	if (result < 0)
		answer_errno(id);
	else
		answer_status(id, FX_OK, "Success");
}

static struct handle *handle_of(struct reader *reader)
{
	size_t size;
	const char *data = read_bytes(reader, &size);
	uint32_t index = max_handles;

	if (size == sizeof(index))
		memcpy(&index, data, sizeof(index));
	if (index < max_handles && handles[index].used)
		return &handles[index];
	errno = EBADF;
	return NULL;
}

void answer_handle(uint32_t id, int fd, DIR *directory)
{
	for (uint32_t i = 0; i < max_handles; i++) {
		if (handles[i].used)
			continue;
		handles[i] = (struct handle){ fd, directory, true };
		begin(102, id);
		put_bytes(&i, sizeof(i));
		return;
	}
	if (directory)
		closedir(directory);
	else
		close(fd);
	errno = EMFILE;
	answer_errno(id);
}

void answer_stat(uint32_t id, int fd)
{
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0) {
		answer_errno(id);
		return;
	}
	begin(105, id);
	put_attributes(&st);
}

int apply_attributes(int fd, const struct attributes *set)
{
	if (set->flags & ATTR_SIZE) {
		int file = reopen(fd, O_WRONLY);
		int failed = file < 0 ? -1 : ftruncate(file, (off_t)set->size), saved = errno;

		if (file >= 0)
			close(file);
		errno = saved;
		if (failed)
			return -1;
	}
	/* The owner first: its change takes set-user-ID away. */
	if ((set->flags & ATTR_OWNER) && fchownat(fd, "", set->uid, set->gid, AT_EMPTY_PATH) < 0)
		return -1;
	if ((set->flags & ATTR_MODE) && change_mode(fd, set->mode) < 0)
		return -1;
	if (set->flags & ATTR_TIMES) {
		const struct timespec times[2] = { { .tv_sec = set->atime }, { .tv_sec = set->mtime } };

		return change_times(fd, times);
	}
	return 0;
}

static void open_request(uint32_t id, struct reader *reader)
{
	enum { WANT_READ = 1, WANT_WRITE = 2, APPEND = 4, CREATE = 8, TRUNCATE = 16, EXCLUSIVE = 32 };
	const char *path = read_text(reader, 0);
	uint32_t wanted = read_u32(reader);
	struct attributes set = read_attributes(reader);
	int flags = (wanted & WANT_WRITE) ? ((wanted & WANT_READ) ? O_RDWR : O_WRONLY) : O_RDONLY, fd;

	if (reader->bad) {
		answer_status(id, FX_BAD_MESSAGE, "Bad message");
		return;
	}
	if (wanted & WANT_WRITE) {
		flags |= (wanted & APPEND) ? O_APPEND : 0;
		flags |= (wanted & CREATE) ? O_CREAT : 0;
		flags |= (wanted & TRUNCATE) ? O_TRUNC : 0;
		flags |= (wanted & CREATE) && (wanted & EXCLUSIVE) ? O_EXCL : 0;
	}
	fd = open_file(path, flags, (set.flags & ATTR_MODE) ? set.mode & 07777 : 0644);
	if (fd < 0)
		answer_errno(id);
	else
		answer_handle(id, fd, NULL);
}

static void read_request(uint32_t id, struct reader *reader)
{
	struct handle *handle = handle_of(reader);
	uint64_t offset = read_u64(reader);
	uint32_t size = read_u32(reader);
	ssize_t got;

	if (!handle || handle->directory) {
		errno = EBADF;
		answer_errno(id);
		return;
	}
	begin(103, id);
	got = pread(handle->fd, put_space(size), size < max_data ? size : max_data, (off_t)offset);
	if (got > 0) {
		put_used((size_t)got);
		return;
	}
	forget_answer();
	if (got == 0)
		answer_status(id, FX_EOF, "End of file");
	else
		answer_errno(id);
}

static void write_request(uint32_t id, struct reader *reader)
{
	struct handle *handle = handle_of(reader);
	uint64_t offset = read_u64(reader);
	size_t size;
	const char *data = read_bytes(reader, &size);

	if (!handle || handle->directory)
		errno = EBADF;
	else if (reader->bad)
		errno = EBADMSG;
	else {
		while (size > 0) {
			ssize_t done = pwrite(handle->fd, data, size, (off_t)offset);

			if (done < 0 && errno == EINTR)
				continue;
			if (done <= 0)
				break;
			data += done;
			offset += (uint64_t)done;
			size -= (size_t)done;
		}
		if (size == 0) {
			answer_done(id, 0);
			return;
		}
	}
	answer_errno(id);
}

static void list_request(uint32_t id, struct reader *reader)
{
	struct handle *handle = handle_of(reader);
	uint32_t count = 0;
	void *counted;

	if (!handle || !handle->directory) {
		errno = EBADF;
		answer_errno(id);
		return;
	}
	begin(104, id);
	counted = put_later();
	while (room() > max_packet - list_bytes + longest_entry) {
		struct dirent *entry = readdir(handle->directory);
		char line[512], when[32], mode[] = "?rwxrwxrwx";
		struct stat st;
		struct tm tm;

		if (!entry)
			break;
		if (fstatat(dirfd(handle->directory), entry->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0)
			continue;
		strftime(when, sizeof(when), "%b %e %Y", gmtime_r(&st.st_mtime, &tm));
		mode[0] = S_ISDIR(st.st_mode) ? 'd' : S_ISLNK(st.st_mode) ? 'l' : '-';
		for (int i = 0; i < 9; i++)
			if (!(st.st_mode & (0400U >> i)))
				mode[i + 1] = '-';
		snprintf(line, sizeof(line), "%s %4ju %-8u %-8u %8jd %s %s", mode, (uintmax_t)st.st_nlink, st.st_uid, st.st_gid, (intmax_t)st.st_size, when, entry->d_name);
		put_text(entry->d_name);
		put_text(line);
		put_attributes(&st);
		count++;
	}
	if (count > 0) {
		put_there(counted, count);
		return;
	}
	forget_answer();
	answer_status(id, FX_EOF, "End of file");
}

static void close_request(uint32_t id, struct reader *reader)
{
	struct handle *handle = handle_of(reader);

	if (!handle) {
		answer_errno(id);
		return;
	}
	handle->used = false;
	answer_done(id, handle->directory ? closedir(handle->directory) : close(handle->fd));
}

static void answer_space(uint32_t id, int fd)
{
	struct statvfs fs;

	if (fd < 0 || fstatvfs(fd, &fs) < 0) {
		answer_errno(id);
		return;
	}
	begin(201, id);
	put_u64(fs.f_bsize);
	put_u64(fs.f_frsize);
	put_u64(fs.f_blocks);
	put_u64(fs.f_bfree);
	put_u64(fs.f_bavail);
	put_u64(fs.f_files);
	put_u64(fs.f_ffree);
	put_u64(fs.f_favail);
	put_u64(fs.f_fsid);
	put_u64((fs.f_flag & ST_RDONLY ? 1 : 0) | (fs.f_flag & ST_NOSUID ? 2 : 0));
	put_u64(fs.f_namemax);
}

static void extended_request(uint32_t id, struct reader *reader)
{
	char name[64];
	size_t size;
	const char *given = read_bytes(reader, &size);
	int fd;

	snprintf(name, sizeof(name), "%.*s", (int)(size < sizeof(name) ? size : 0), given);
	if (strcmp(name, "fsync@openssh.com") == 0 || strcmp(name, "fstatvfs@openssh.com") == 0) {
		struct handle *handle = handle_of(reader);

		fd = handle ? handle->directory ? dirfd(handle->directory) : handle->fd : -1;
		if (*(name + 2) == 'y')
			answer_done(id, fd < 0 ? -1 : fsync(fd));
		else
			answer_space(id, fd);
	} else if (strcmp(name, "statvfs@openssh.com") == 0) {
		fd = look_up(read_text(reader, 0), 0);
		answer_space(id, fd);
		close(fd);
	} else if (strcmp(name, "posix-rename@openssh.com") == 0 || strcmp(name, "hardlink@openssh.com") == 0) {
		const char *from = read_text(reader, 0), *to = read_text(reader, 1);

		if (!reader->bad)
			answer_done(id, with_two(from, to, *name == 'p' ? renameat : link_hard));
	} else if (strcmp(name, "lsetstat@openssh.com") == 0) {
		const char *path = read_text(reader, 0);
		struct attributes set = read_attributes(reader);

		if (!reader->bad)
			answer_done(id, set_attributes(path, &set, O_NOFOLLOW));
	} else if (strcmp(name, "limits@openssh.com") == 0) {
		begin(201, id);
		put_u64(max_packet);
		put_u64(max_data);
		put_u64(max_data);
		put_u64(max_handles);
	} else {
		answer_status(id, FX_UNSUPPORTED, "Unsupported");
		return;
	}
	if (reader->bad)
		answer_status(id, FX_BAD_MESSAGE, "Bad message");
}

static void version_answer(void)
{
	static const char *const extensions[][2] = {
		{ "posix-rename@openssh.com", "1" }, { "statvfs@openssh.com", "2" },  { "fstatvfs@openssh.com", "2" },
		{ "hardlink@openssh.com", "1" },     { "fsync@openssh.com", "1" },    { "lsetstat@openssh.com", "1" },
		{ "limits@openssh.com", "1" },
	};

	/* Its number is where others have their id. */
	begin(2, 3);
	for (size_t i = 0; i < sizeof(extensions) / sizeof(*extensions); i++) {
		put_text(extensions[i][0]);
		put_text(extensions[i][1]);
	}
}

void serve_request(uint8_t type, uint32_t id, struct reader *reader)
{
	struct handle *handle;
	struct attributes set;
	int fd;

	switch (type) {
	case 1: /* INIT; its version is read as the id */
		version_answer();
		return;
	case 3:
		open_request(id, reader);
		return;
	case 4:
		close_request(id, reader);
		return;
	case 5:
		read_request(id, reader);
		return;
	case 6:
		write_request(id, reader);
		return;
	case 8: /* FSTAT */
	case 10: /* FSETSTAT */
		handle = handle_of(reader);
		fd = handle ? handle->directory ? dirfd(handle->directory) : handle->fd : -1;
		if (type == 8) {
			answer_stat(id, fd);
			return;
		}
		set = read_attributes(reader);
		if (reader->bad)
			answer_status(id, FX_BAD_MESSAGE, "Bad message");
		else
			answer_done(id, fd < 0 ? -1 : apply_attributes(fd, &set));
		return;
	case 12:
		list_request(id, reader);
		return;
	case 200:
		extended_request(id, reader);
		return;
	case 7:
	case 9:
	case 11:
	case 13 ... 20:
		path_request(type, id, reader);
		return;
	default:
		answer_status(id, FX_UNSUPPORTED, "Unsupported");
	}
}
