/* A meter of this host: what its kernel says of load, memory and uptime, for a Prometheus to collect. */
#ifndef METER_H
#define METER_H

#include <stdbool.h>
#include <stddef.h>

/* Write the metrics as text into `into`, at most `room` bytes with the ending NUL; false: they can't be read. */
bool facts_write(char *into, size_t room);

/* Serve on 127.0.0.1 until SIGTERM or SIGINT; the exit status. */
int serve(unsigned short port);

#endif
