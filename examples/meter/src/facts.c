#include "meter.h"

#include <stdio.h>

struct facts {
	double load;
	double uptime_seconds;
	unsigned long long total_bytes;
	unsigned long long available_bytes;
};

static bool read_number(const char *path, double *number)
{
	FILE *file = fopen(path, "re");
	if (file == NULL)
		return false;
	bool found = fscanf(file, "%lf", number) == 1;
	fclose(file);
	return found;
}

static bool read_memory(struct facts *facts)
{
	char line[256];
	unsigned long long kib;
	int found = 0;
	FILE *file = fopen("/proc/meminfo", "re");

	if (file == NULL)
		return false;
	while (fgets(line, sizeof line, file) != NULL) {
		if (sscanf(line, "MemTotal: %llu kB", &kib) == 1) {
			facts->total_bytes = kib * 1024;
			found++;
		} else if (sscanf(line, "MemAvailable: %llu kB", &kib) == 1) {
			facts->available_bytes = kib * 1024;
			found++;
		}
	}
	fclose(file);
	return found == 2;
}

bool facts_write(char *into, size_t room)
{
	struct facts facts = {0};

	if (!read_number("/proc/loadavg", &facts.load) || !read_number("/proc/uptime", &facts.uptime_seconds) ||
	    !read_memory(&facts))
		return false;
	int length = snprintf(into, room,
			      "# TYPE meter_load gauge\nmeter_load %.2f\n"
			      "# TYPE meter_uptime_seconds gauge\nmeter_uptime_seconds %.0f\n"
			      "# TYPE meter_memory_total_bytes gauge\nmeter_memory_total_bytes %llu\n"
			      "# TYPE meter_memory_available_bytes gauge\nmeter_memory_available_bytes %llu\n",
			      facts.load, facts.uptime_seconds, facts.total_bytes, facts.available_bytes);
	return length > 0 && (size_t)length < room;
}
