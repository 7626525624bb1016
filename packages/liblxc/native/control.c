/* The conversation with the daemon: `signal N` and `resize COLUMNS ROWS` come, `pid N`, `exit N` and `error TEXT` go. */
#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "runtime.h"

int fail(const char *format, ...)
{
	char text[512];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	/* A newline would end the message early. */
	for (char *at = text; *at; at++)
		if (*at == '\n')
			*at = ' ';
	dprintf(control, "error %s\n", text);
	return 1;
}

bool read_exactly(void *data, size_t size)
{
	for (size_t done = 0; done < size;) {
		ssize_t got = read(control, (char *)data + done, size - done);

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return false;
		done += (size_t)got;
	}
	return true;
}

bool read_control(int master, pid_t child, bool *killed)
{
	static char line[64];
	static size_t used;
	char buffer[512];
	ssize_t got = read(control, buffer, sizeof(buffer));

	if (got < 0 && (errno == EINTR || errno == EAGAIN))
		return true;
	if (got <= 0)
		return false;
	for (ssize_t i = 0; i < got; i++) {
		unsigned a, b;

		if (buffer[i] != '\n') {
			if (used < sizeof(line) - 1)
				line[used++] = buffer[i];
			continue;
		}
		line[used] = '\0';
		used = 0;
		if (sscanf(line, "resize %u %u", &a, &b) == 2)
			resize(master, a, b);
		else if (sscanf(line, "signal %u", &a) == 1 && child > 0 && kill(child, (int)a) == 0 && a == SIGKILL)
			*killed = true;
	}
	return true;
}
