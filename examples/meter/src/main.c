#include "meter.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

enum { DEFAULT_PORT = 8113 };

int main(void)
{
	const char *text = getenv("PORT");
	char *end = NULL;
	long port = DEFAULT_PORT;

	if (text != NULL) {
		errno = 0;
		port = strtol(text, &end, 10);
		if (errno != 0 || end == text || *end != '\0' || port < 1 || port > 65535) {
			fprintf(stderr, "meter: PORT=%s is no port\n", text);
			return 2;
		}
	}
	return serve((unsigned short)port);
}
