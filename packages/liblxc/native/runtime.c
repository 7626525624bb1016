/*
 * lxd-ts-runtime: what forks, or enters a container, happens in this small process and not in the daemon.
 *
 *   lxd-ts-runtime start   LXCPATH NAME CONFIG LOGFILE LEVEL [MARK [INIT...]]   becomes the container's monitor; exits 0
 *                          when it runs. MARK: a file that a reboot from inside leaves, instead of being carried out;
 *                          INIT: the first process, with its arguments, in place of the one that is configured
 *   lxd-ts-runtime stopped MARK   run by liblxc after every stop
 *   lxd-ts-runtime exec    LXCPATH NAME UID GID CWD COLUMNS ROWS   COLUMNS 0: stdin, stdout, stderr are the command's own
 *   lxd-ts-runtime console LXCPATH NAME COLUMNS ROWS   stdin and stdout are joined to the container's console
 *   lxd-ts-runtime files   running LXCPATH NAME | stopped ROOTFS [RANGE...]   SFTP on stdin and stdout (files.c)
 *   lxd-ts-runtime inject  PID SOURCE TARGET OPTIONS   mounts into a container that runs (inject.c)
 *   lxd-ts-runtime eject   PID TARGET remove|keep      and out of it
 *   lxd-ts-runtime devices DIR   prints a line after devices came or went, until its stdin ends (devices.c)
 *   lxd-ts-runtime shift   PATH RANGE...   gives the files of a tree the ids they have inside (shift.c)
 *
 * Descriptor 3 of exec, console and files is a socket to the daemon. For exec it first brings the command and its environment
 * (read_request of exec.c), then lines in both directions (control.c).
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <limits.h>
#include <linux/close_range.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "runtime.h"

/*
 * liblxc reboots with what it was started with, and without the id map of the root. A hook that fails keeps it from that;
 * the daemon starts it again.
 */
static bool mark_reboots(struct lxc_container *container, const char *program, const char *mark)
{
	char hook[2 * PATH_MAX + 32];

	/* For a shell. */
	if (strchr(program, '\'') || strchr(mark, '\''))
		return false;
	if (snprintf(hook, sizeof(hook), "'%s' stopped '%s'", program, mark) >= (int)sizeof(hook))
		return false;
	return container->set_config_item(container, "lxc.hook.version", "1") &&
	       container->set_config_item(container, "lxc.hook.post-stop", hook);
}

static int stopped(const char *mark)
{
	const char *target = getenv("LXC_TARGET");

	if (!target || strcmp(target, "reboot") != 0)
		return 0;
	close(open(mark, O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
	return 1;
}

static int start(char **args, char **argv)
{
	struct lxc_log log = { .name = args[1], .lxcpath = args[0], .file = args[3], .level = args[4], .quiet = true };
	struct lxc_container *container;
	int null;

	/* Before liblxc opens anything: what it has open must stay open, what we were given must not. */
	close_range(3, ~0U, 0);
	null = open("/dev/null", O_RDWR | O_CLOEXEC);
	for (int fd = 0; fd < 3; fd++)
		dup2(null, fd);
	setsid();
	umask(0022);
	if (chdir("/") < 0)
		return 1;

	lxc_log_init(&log);
	container = lxc_container_new(args[1], args[0]);
	if (!container)
		return 1;
	container->clear_config(container);
	if (!container->load_config(container, args[2]))
		return 1;
	if (args[5] && !mark_reboots(container, argv[0], args[5]))
		return 1;
	if (container->get_config_item(container, "lxc.idmap", NULL, 0) <= 0 && !run_sealed(argv))
		return 1;
	container->want_daemonize(container, true);
	return container->start(container, 0, args[5] && args[6] ? args + 6 : NULL) ? 0 : 1;
}

int main(int argc, char **argv)
{
	const char *verb = argc > 1 ? argv[1] : "";

	if (strcmp(verb, "start") == 0 && argc >= 7)
		return start(argv + 2, argv);
	if (strcmp(verb, "stopped") == 0 && argc == 3)
		return stopped(argv[2]);
	if (strcmp(verb, "shift") == 0 && argc > 3)
		return shift(argc - 2, argv + 2);
	if (strcmp(verb, "inject") == 0 && argc == 6)
		return inject(argv + 2);
	if (strcmp(verb, "eject") == 0 && argc == 5)
		return eject(argv + 2);
	if (strcmp(verb, "devices") == 0 && argc == 3)
		return devices(argv[2]);
	/* A daemon that is gone is told by EPIPE. Not in start: the container's init would inherit it. */
	signal(SIGPIPE, SIG_IGN);
	/* Only the socket to the daemon stays, before liblxc opens what it needs. */
	close_range(control + 1, ~0U, 0);
	fcntl(control, F_SETFD, FD_CLOEXEC);
	if (strcmp(verb, "exec") == 0 && argc == 9)
		return exec(argv + 2, argv);
	if (strcmp(verb, "console") == 0 && argc == 6)
		return console(argv + 2);
	if (strcmp(verb, "files") == 0 && (argc == 5 || (argc > 3 && strcmp(argv[2], "running") != 0)))
		return files(argv + 2);
	dprintf(STDERR_FILENO, "usage: lxd-ts-runtime start|stopped|exec|console|files|shift|inject|eject|devices … (run by lxd-tsd)\n");
	return 2;
}
