/* Says as whom it runs, and whether it may make raw sockets: what setuid bits and capabilities of files come to. */
#define _GNU_SOURCE
#include <linux/capability.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

int main(void)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2];

	if (syscall(SYS_capget, &head, data) < 0)
		return 1;
	printf("%d %s\n", geteuid(), data[0].effective & CAP_TO_MASK(CAP_NET_RAW) ? "raw" : "plain");
	return 0;
}
