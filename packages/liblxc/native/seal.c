/*
 * A process that enters a privileged container could be used there, by way of /proc/PID/exe, to overwrite our file on the
 * host. For such containers we run from a copy in memory that nobody can write.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

#include "runtime.h"

bool run_sealed(char **argv)
{
	const int seals = F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE;
	int self = open("/proc/self/exe", O_RDONLY | O_CLOEXEC), copy;
	struct stat file;

	if (self < 0 || fstat(self, &file) < 0)
		return false;
	if (fcntl(self, F_GET_SEALS) == seals) {
		close(self);
		return true;
	}
	copy = memfd_create("lxd-ts-runtime", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (copy < 0)
		return false;
	for (off_t done = 0; done < file.st_size;)
		if (sendfile(copy, self, &done, (size_t)(file.st_size - done)) <= 0)
			return false;
	if (fcntl(copy, F_ADD_SEALS, seals) == 0) {
		/* Not across exec for what liblxc has open meanwhile: all of that is close-on-exec, as is the copy. */
		fcntl(control, F_SETFD, 0);
		fexecve(copy, argv, environ);
	}
	return false;
}
