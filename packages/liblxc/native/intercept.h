#pragma once

#include <linux/seccomp.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* One system call of a container, held by the kernel until it is answered. */
struct call {
	const struct seccomp_notif *notif;
	/* /proc/PID and its memory, and where answers and descriptors go. */
	int proc, memory, listener;
	/* Of the caller, as seen here. */
	uid_t uid;
	gid_t gid;
	/* Those that count, and those that it can ever have again. */
	uint64_t capabilities, bounding;
	bool no_new_rights;
	mode_t mask;
	pid_t process;
};

/* What is said of a call: the kernel shall carry it out as ever, or this. */
struct answer {
	bool pass;
	int error;
	int64_t value;
};

struct settings {
	/* Separated by commas: filesystems, and pairs of filesystem and FUSE program. */
	const char *mount, *fuse;
	bool shift;
	/* The container's cgroup, below each hierarchy. */
	const char *payload;
	pid_t init;
};

/* intercept.c */
bool still_waits(const struct call *call);
/* Text at an address of the caller; false when it cannot be read or is longer than there is room. */
bool read_text(const struct call *call, uint64_t address, char *text, size_t room);
bool read_memory(const struct call *call, uint64_t address, void *data, size_t size);
bool write_memory(const struct call *call, uint64_t address, const void *data, size_t size);
int open_in(const struct call *call, const char *format, ...) __attribute__((format(printf, 2, 3)));
bool capable_of(const struct call *call, unsigned capability);
/* Runs it in a child, which is killed when it takes too long. The answer of one that failed: EIO. */
struct answer apart(struct answer (*work)(const struct call *, void *), const struct call *call, void *data);
/* Of a child that was to say something by `fd`: false when it said nothing in time. */
bool speaks(int fd, int patience_ms);
/* Waits for a child that has spoken, and not for one that has not: a filesystem of the container's may keep it for ever. */
void part_with(pid_t child, bool spoke);

/* intercept-caller.c: a child becomes as powerful as the caller, and sees what it sees */
bool become_caller(const struct call *call, bool all_namespaces);
/* In the caller's mounts below its root, with our own power. */
bool enter_mounts(const struct call *call);
bool join_cgroups(const struct call *call);
/* What the caller finds at a path, as an O_PATH descriptor; -1 with errno. `writable`: the caller must be able to make files there. */
int resolve(const struct call *call, int dirfd, const char *path, int flags, bool writable);

/* The calls. */
struct answer on_mknod(const struct call *call, const struct settings *settings);
struct answer on_setxattr(const struct call *call, const struct settings *settings);
struct answer on_scheduler(const struct call *call, const struct settings *settings);
struct answer on_sysinfo(const struct call *call, const struct settings *settings);
struct answer on_mount(const struct call *call, const struct settings *settings);
struct answer on_bpf(const struct call *call, const struct settings *settings);

static inline struct answer pass_on(void)
{
	return (struct answer){ .pass = true };
}

static inline struct answer failed(int error)
{
	return (struct answer){ .error = error };
}

static inline struct answer done(int64_t value)
{
	return (struct answer){ .value = value };
}
