/*
 * System calls, made from inside a container: prints the result, or the name of the error.
 *
 *   syscalls mknod PATH MAJOR MINOR | setxattr PATH NAME VALUE | getxattr PATH NAME | sysinfo
 *   syscalls schedule PID fifo|other | mount SOURCE TARGET TYPE OPTIONS | bpf CGROUP
 *   syscalls peek | hang DIRECTORY | bound SOURCE TARGET TYPE OPTIONS, which mounts with a right less for ever
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/capability.h>
#include <linux/fuse.h>
#include <sched.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysinfo.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

static int say(long result)
{
	if (result < 0)
		printf("%s\n", strerrorname_np(errno));
	else
		printf("%ld\n", result);
	return result < 0;
}

/* A program that refuses /dev/zero, and all that nobody refuses otherwise. */
static int refuse_zero(const char *path)
{
	struct bpf_insn code[] = {
		/* r2 = minor, r3 = major */
		{ .code = BPF_LDX | BPF_MEM | BPF_W, .dst_reg = 2, .src_reg = 1, .off = 8 },
		{ .code = BPF_LDX | BPF_MEM | BPF_W, .dst_reg = 3, .src_reg = 1, .off = 4 },
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 0, .imm = 1 },
		{ .code = BPF_JMP | BPF_JNE | BPF_K, .dst_reg = 3, .off = 2, .imm = 1 },
		{ .code = BPF_JMP | BPF_JNE | BPF_K, .dst_reg = 2, .off = 1, .imm = 5 },
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 0, .imm = 0 },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	union bpf_attr load = { .prog_type = BPF_PROG_TYPE_CGROUP_DEVICE,
				.insns = (uintptr_t)code,
				.insn_cnt = sizeof(code) / sizeof(*code),
				.license = (uintptr_t) "GPL" };
	union bpf_attr attach = { .attach_type = BPF_CGROUP_DEVICE, .attach_flags = BPF_F_ALLOW_MULTI };
	int program = (int)syscall(SYS_bpf, BPF_PROG_LOAD, &load, sizeof(load));
	int group = open(path, O_RDONLY | O_DIRECTORY);

	if (program < 0 || group < 0)
		return say(-1);
	attach.target_fd = (unsigned)group;
	attach.attach_bpf_fd = (unsigned)program;
	if (syscall(SYS_bpf, BPF_PROG_ATTACH, &attach, sizeof(attach)) < 0)
		return say(-1);
	say(open("/dev/zero", O_RDONLY));
	attach.attach_flags = 0;
	return say(syscall(SYS_bpf, BPF_PROG_DETACH, &attach, sizeof(attach)) < 0 ? -1 : open("/dev/zero", O_RDONLY) > 0);
}

/* Loads a program that would look at memory of the kernel. */
static int peek(void)
{
	struct bpf_insn code[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_X, .dst_reg = 1, .src_reg = 10 },
		{ .code = BPF_ALU64 | BPF_ADD | BPF_K, .dst_reg = 1, .imm = -8 },
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 2, .imm = 8 },
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 3, .imm = 0 },
		{ .code = BPF_JMP | BPF_CALL, .imm = BPF_FUNC_probe_read_kernel },
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 0, .imm = 1 },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	union bpf_attr load = { .prog_type = BPF_PROG_TYPE_CGROUP_DEVICE,
				.insns = (uintptr_t)code,
				.insn_cnt = sizeof(code) / sizeof(*code),
				.license = (uintptr_t) "GPL" };

	return say(syscall(SYS_bpf, BPF_PROG_LOAD, &load, sizeof(load)) < 0 ? -1 : 0);
}

/* Makes a node in a filesystem of our own that answers nothing, not even who is killed. */
static int hang(const char *path)
{
	struct fuse_init_out init = { .major = FUSE_KERNEL_VERSION, .minor = FUSE_KERNEL_MINOR_VERSION };
	static struct {
		struct fuse_in_header header;
		char rest[256 * 1024];
	} asked;
	struct {
		struct fuse_out_header header;
		struct fuse_init_out init;
	} answer = { .header = { .len = sizeof(answer) }, .init = init };
	char options[128], node[4096];
	int fd = open("/dev/fuse", O_RDWR | O_CLOEXEC);

	snprintf(options, sizeof(options), "fd=%d,rootmode=40000,user_id=0,group_id=0", fd);
	snprintf(node, sizeof(node), "%s/within/null", path);
	if (fd < 0 || mount("mute", path, "fuse", MS_NOSUID | MS_NODEV, options) < 0 || read(fd, &asked, sizeof(asked)) < 0)
		return say(-1);
	answer.header.unique = asked.header.unique;
	if (write(fd, &answer, sizeof(answer)) < 0)
		return say(-1);
	if (fork() == 0) {
		while (read(fd, &asked, sizeof(asked)) > 0)
			;
		_exit(0);
	}
	return say(mknod(node, S_IFCHR | 0640, makedev(1, 3)));
}

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";

	if (strcmp(what, "mknod") == 0 && argc == 5)
		return say(mknod(argv[2], S_IFCHR | 0640, makedev((unsigned)atoi(argv[3]), (unsigned)atoi(argv[4]))));
	if (strcmp(what, "setxattr") == 0 && argc == 5)
		return say(setxattr(argv[2], argv[3], argv[4], strlen(argv[4]), 0));
	if (strcmp(what, "getxattr") == 0 && argc == 4) {
		char value[64];

		return say(getxattr(argv[2], argv[3], value, sizeof(value)));
	}
	if (strcmp(what, "sysinfo") == 0) {
		struct sysinfo info;

		if (sysinfo(&info) < 0)
			return say(-1);
		printf("%llu %ld %u\n", (unsigned long long)info.totalram * info.mem_unit, info.uptime, info.procs);
		return 0;
	}
	if (strcmp(what, "schedule") == 0 && argc == 4) {
		bool fifo = strcmp(argv[3], "fifo") == 0;
		struct sched_param param = { .sched_priority = fifo ? 10 : 0 };
		pid_t pid = (pid_t)atoi(argv[2]);

		say(sched_setscheduler(pid, fifo ? SCHED_FIFO : SCHED_OTHER, &param));
		return say(sched_getscheduler(pid));
	}
	if (strcmp(what, "bound") == 0 && prctl(PR_CAPBSET_DROP, CAP_NET_ADMIN, 0, 0, 0) < 0)
		return say(-1);
	if ((strcmp(what, "mount") == 0 || strcmp(what, "bound") == 0) && argc == 6)
		return say(mount(argv[2], argv[3], argv[4], MS_NOSUID, argv[5]));
	if (strcmp(what, "bpf") == 0 && argc == 3)
		return refuse_zero(argv[2]);
	if (strcmp(what, "peek") == 0)
		return peek();
	if (strcmp(what, "hang") == 0 && argc == 3)
		return hang(argv[2]);
	return 2;
}
