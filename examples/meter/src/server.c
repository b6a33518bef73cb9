#include "meter.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { REQUEST_BYTES = 4096, BODY_BYTES = 4096, PATIENCE_SECONDS = 2 };

static void say(const char *level, const char *message)
{
	char at[32];
	time_t now = time(NULL);
	struct tm parts;

	strftime(at, sizeof at, "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&now, &parts));
	printf("%s %s meter %s\n", at, level, message);
	fflush(stdout);
}

static bool send_all(int peer, const char *bytes, size_t length)
{
	while (length > 0) {
		ssize_t sent = send(peer, bytes, length, MSG_NOSIGNAL);
		if (sent < 0 && errno == EINTR)
			continue;
		if (sent <= 0)
			return false;
		bytes += sent;
		length -= (size_t)sent;
	}
	return true;
}

static void answer(int peer, const char *status, const char *type, const char *body)
{
	char head[256];
	int length = snprintf(head, sizeof head,
			      "HTTP/1.1 %s\r\nContent-Type: %s\r\nContent-Length: %zu\r\nConnection: close\r\n\r\n",
			      status, type, strlen(body));

	if (send_all(peer, head, (size_t)length))
		send_all(peer, body, strlen(body));
}

/* The head of a request, up to its empty line; false: too long, too slow or broken off. */
static bool read_head(int peer, char *head, size_t room)
{
	size_t length = 0;

	while (length + 1 < room) {
		ssize_t got = recv(peer, head + length, room - 1 - length, 0);
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return false;
		length += (size_t)got;
		head[length] = '\0';
		if (strstr(head, "\r\n\r\n") != NULL)
			return true;
	}
	return false;
}

static bool asks_for(const char *head, const char *path)
{
	size_t length = strlen(path);

	return strncmp(head, "GET ", 4) == 0 && strncmp(head + 4, path, length) == 0 &&
	       (head[4 + length] == ' ' || head[4 + length] == '?');
}

static void attend(int peer)
{
	char head[REQUEST_BYTES];
	char body[BODY_BYTES];
	const struct timeval patience = {.tv_sec = PATIENCE_SECONDS};

	/* One caller at a time: none may keep the others waiting for long. */
	setsockopt(peer, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
	setsockopt(peer, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
	if (!read_head(peer, head, sizeof head))
		answer(peer, "400 Bad Request", "text/plain", "That was no request.\n");
	else if (asks_for(head, "/health"))
		answer(peer, "200 OK", "application/json", "{\"healthy\": true}\n");
	else if (!asks_for(head, "/metrics"))
		answer(peer, "404 Not Found", "text/plain", "Ask for /metrics or /health.\n");
	else if (facts_write(body, sizeof body))
		answer(peer, "200 OK", "text/plain; version=0.0.4", body);
	else
		answer(peer, "500 Internal Server Error", "text/plain", "The kernel does not say.\n");
}

static int listen_on(unsigned short port)
{
	const int on = 1;
	const struct sockaddr_in place = {
		.sin_family = AF_INET,
		.sin_port = htons(port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (listener < 0)
		return -1;
	setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
	if (bind(listener, (const struct sockaddr *)&place, sizeof place) < 0 || listen(listener, 64) < 0) {
		close(listener);
		return -1;
	}
	return listener;
}

/* A descriptor that can be read once the service is to end. */
static int ending(void)
{
	sigset_t signals;

	sigemptyset(&signals);
	sigaddset(&signals, SIGTERM);
	sigaddset(&signals, SIGINT);
	sigprocmask(SIG_BLOCK, &signals, NULL);
	return signalfd(-1, &signals, SFD_CLOEXEC);
}

int serve(unsigned short port)
{
	char line[64];
	struct pollfd awaited[2] = {{.fd = ending(), .events = POLLIN}, {.fd = listen_on(port), .events = POLLIN}};

	if (awaited[0].fd < 0 || awaited[1].fd < 0) {
		perror("meter: can't listen");
		return 1;
	}
	snprintf(line, sizeof line, "http://127.0.0.1:%hu/metrics", port);
	say("INFO", line);
	for (;;) {
		if (poll(awaited, 2, -1) < 0) {
			if (errno == EINTR)
				continue;
			perror("meter: can't wait");
			return 1;
		}
		if (awaited[0].revents & POLLIN) {
			say("INFO", "stopped");
			return 0;
		}
		if (awaited[1].revents & POLLIN) {
			int peer = accept4(awaited[1].fd, NULL, NULL, SOCK_CLOEXEC);
			if (peer >= 0) {
				attend(peer);
				close(peer);
			}
		}
	}
}
