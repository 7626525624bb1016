/* sched_setscheduler, sysinfo, bpf. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/capability.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <sys/sysinfo.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "intercept.h"

struct schedule {
	pid_t pid;
	int policy;
	struct sched_param param;
};

static struct answer set_scheduler(const struct call *call, void *data)
{
	struct schedule *schedule = data;
	struct answer answer = failed(EIO);
	int ends[2], pids;
	pid_t child;

	if (schedule->pid == 0)
		return sched_setscheduler((pid_t)call->notif->pid, schedule->policy, &schedule->param) < 0 ? failed(errno) : done(0);
	/* A number counts in the caller's pid namespace, and so only reaches who is in there. */
	pids = open_in(call, "ns/pid");
	if (pids < 0 || !still_waits(call) || setns(pids, CLONE_NEWPID) < 0 || pipe2(ends, O_CLOEXEC) < 0)
		return answer;
	child = fork();
	if (child == 0) {
		answer = sched_setscheduler(schedule->pid, schedule->policy, &schedule->param) < 0 ? failed(errno) : done(0);
		_exit(write(ends[1], &answer, sizeof(answer)) != sizeof(answer));
	}
	close(ends[1]);
	if (child > 0) {
		struct answer said;

		if (read(ends[0], &said, sizeof(said)) == sizeof(said))
			answer = said;
		waitpid(child, NULL, 0);
	}
	return answer;
}

struct answer on_scheduler(const struct call *call, const struct settings *settings)
{
	const __u64 *args = call->notif->data.args;
	struct schedule schedule = { .pid = (pid_t)args[0], .policy = (int)args[1] };

	(void)settings;
	if (schedule.pid < 0 || !capable_of(call, CAP_SYS_NICE) ||
	    !read_memory(call, args[2], &schedule.param, sizeof(schedule.param)))
		return pass_on();
	return apart(set_scheduler, call, &schedule);
}

/* A number in the container's cgroup, of either kind; `otherwise` where there is none, or none that limits. */
static unsigned long long number(const struct settings *settings, const char *controller, const char *one, const char *two,
				 unsigned long long otherwise)
{
	const char *files[] = { one, two };
	char path[4096];

	for (int i = 0; i < 2; i++) {
		unsigned long long value;
		FILE *file;
		int read;

		snprintf(path, sizeof(path), "/sys/fs/cgroup/%s/%s/%s", i == 0 ? controller : ".", settings->payload, files[i]);
		file = fopen(path, "re");
		if (!file)
			continue;
		read = fscanf(file, "%llu", &value);
		fclose(file);
		if (read == 1)
			return value;
	}
	return otherwise;
}

static long seconds_up(pid_t init)
{
	unsigned long long started;
	struct timespec now;
	char path[64], text[2048], *after;
	FILE *file;
	size_t size;

	snprintf(path, sizeof(path), "/proc/%d/stat", init);
	file = fopen(path, "re");
	if (!file)
		return -1;
	size = fread(text, 1, sizeof(text) - 1, file);
	fclose(file);
	text[size] = '\0';
	/* The 22nd field, counted from the end of the name. */
	after = strrchr(text, ')');
	if (!after || sscanf(after + 1, " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d %*d %*d %llu", &started) != 1 ||
	    clock_gettime(CLOCK_BOOTTIME, &now) < 0)
		return -1;
	return now.tv_sec - (long)(started / (unsigned long long)sysconf(_SC_CLK_TCK));
}

struct answer on_sysinfo(const struct call *call, const struct settings *settings)
{
	struct sysinfo info;
	unsigned long long total, used, swap, with_swap;
	long up = seconds_up(settings->init);

	if (sysinfo(&info) < 0)
		return pass_on();
	/* All in bytes. */
	info.totalram *= info.mem_unit;
	info.freeram *= info.mem_unit;
	info.bufferram *= info.mem_unit;
	info.sharedram *= info.mem_unit;
	info.totalswap *= info.mem_unit;
	info.freeswap *= info.mem_unit;
	info.totalhigh = info.freehigh = 0;
	info.mem_unit = 1;

	total = number(settings, "memory", "memory.limit_in_bytes", "memory.max", info.totalram);
	used = number(settings, "memory", "memory.usage_in_bytes", "memory.current", 0);
	if (total < info.totalram) {
		info.totalram = total;
		info.freeram = used < total ? total - used : 0;
		info.bufferram = info.sharedram = 0;
		swap = number(settings, "memory", "-", "memory.swap.max", ~0ULL);
		with_swap = number(settings, "memory", "memory.memsw.limit_in_bytes", "-", ~0ULL);
		if (with_swap != ~0ULL)
			swap = with_swap > total ? with_swap - total : 0;
		if (swap < info.totalswap)
			info.totalswap = swap;
		if (info.freeswap > info.totalswap)
			info.freeswap = info.totalswap;
	}
	info.procs = (unsigned short)number(settings, "pids", "pids.current", "pids.current", info.procs);
	if (up >= 0)
		info.uptime = up;
	return write_memory(call, call->notif->data.args[0], &info, sizeof(info)) ? done(0) : failed(EFAULT);
}

/* As many as the kernel takes of who is no root. */
enum { max_instructions = 4096, max_licence = 128 };

struct program {
	union bpf_attr attr;
	struct bpf_insn instructions[max_instructions];
	char licence[max_licence];
};

/* With what such a program needs and no more: the kernel then lets it neither look at memory of its own nor tell where that is. */
static struct answer load_program(const struct call *call, void *data)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct rights[2] = { 0 };
	struct seccomp_notif_addfd add = { .id = call->notif->id, .newfd_flags = O_CLOEXEC };
	struct program *program = data;
	int fd, inside;

	rights[CAP_TO_INDEX(CAP_BPF)].permitted |= CAP_TO_MASK(CAP_BPF);
	rights[CAP_TO_INDEX(CAP_NET_ADMIN)].permitted |= CAP_TO_MASK(CAP_NET_ADMIN);
	for (int i = 0; i < 2; i++)
		rights[i].effective = rights[i].permitted;
	if (syscall(SYS_capset, &header, rights) < 0)
		return failed(errno);
	fd = (int)syscall(SYS_bpf, BPF_PROG_LOAD, &program->attr, sizeof(program->attr));
	if (fd < 0)
		return failed(errno);
	add.srcfd = (uint32_t)fd;
	inside = ioctl(call->listener, SECCOMP_IOCTL_NOTIF_ADDFD, &add);
	return inside < 0 ? failed(errno) : done(inside);
}

static struct answer on_load(const struct call *call, const union bpf_attr *asked)
{
	static struct program program;

	memset(&program, 0, sizeof(program));
	if (asked->insn_cnt == 0 || asked->insn_cnt > max_instructions)
		return failed(E2BIG);
	if (!read_memory(call, asked->insns, program.instructions, asked->insn_cnt * sizeof(*program.instructions)) ||
	    !read_text(call, asked->license, program.licence, sizeof(program.licence)))
		return failed(EFAULT);
	program.attr.prog_type = BPF_PROG_TYPE_CGROUP_DEVICE;
	program.attr.insn_cnt = asked->insn_cnt;
	program.attr.insns = (uintptr_t)program.instructions;
	program.attr.license = (uintptr_t)program.licence;
	memcpy(program.attr.prog_name, asked->prog_name, sizeof(program.attr.prog_name));
	return apart(load_program, call, &program);
}

/* What it attaches to is a cgroup that it could open: its own or one below. */
static struct answer attach_program(const struct call *call, int command, const union bpf_attr *asked)
{
	union bpf_attr attr = { .attach_type = BPF_CGROUP_DEVICE, .attach_flags = asked->attach_flags };
	int process = (int)syscall(SYS_pidfd_open, call->process, 0);
	int group = process < 0 ? -1 : (int)syscall(SYS_pidfd_getfd, process, asked->target_fd, 0);
	int program = process < 0 ? -1 : (int)syscall(SYS_pidfd_getfd, process, asked->attach_bpf_fd, 0);
	struct answer answer = failed(EBADF);

	if (group >= 0 && (program >= 0 || command == BPF_PROG_DETACH) && still_waits(call)) {
		attr.target_fd = (uint32_t)group;
		attr.attach_bpf_fd = program < 0 ? 0 : (uint32_t)program;
		answer = syscall(SYS_bpf, command, &attr, sizeof(attr)) < 0 ? failed(errno) : done(0);
	}
	if (process >= 0)
		close(process);
	if (group >= 0)
		close(group);
	if (program >= 0)
		close(program);
	return answer;
}

struct answer on_bpf(const struct call *call, const struct settings *settings)
{
	const __u64 *args = call->notif->data.args;
	union bpf_attr asked = { 0 };
	size_t size = args[2] < sizeof(asked) ? args[2] : sizeof(asked);

	(void)settings;
	if (!capable_of(call, CAP_SYS_ADMIN) && !capable_of(call, CAP_BPF))
		return pass_on();
	if (!read_memory(call, args[1], &asked, size))
		return pass_on();
	if (args[0] == BPF_PROG_LOAD && asked.prog_type == BPF_PROG_TYPE_CGROUP_DEVICE)
		return on_load(call, &asked);
	if ((args[0] == BPF_PROG_ATTACH || args[0] == BPF_PROG_DETACH) && asked.attach_type == BPF_CGROUP_DEVICE)
		return attach_program(call, (int)args[0], &asked);
	return pass_on();
}
