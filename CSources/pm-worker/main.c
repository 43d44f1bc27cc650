/*
 * pm-worker: stands for one worker of a pool. To pm it is the process of the service: its output, its
 * signals, its channel and its end are the worker's, which runs as a thread in the host of the pool
 * (Sources/node/host/pool). So all that pm does for processes holds for workers. Not for use by hand: pool.h
 * says what passes between the two.
 *
 *   pm-worker SOCKET NAME HEAP_MIB HEARTBEAT_MS PROGRAM [ARG...]
 */
#define _GNU_SOURCE
#include "pm_file.h"
#include "pool.h"
#include "text.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <unistd.h>

/* sysexits(3) */
#define EXIT_USAGE 64
#define EXIT_SOFTWARE 70
#define EXIT_LOST 75
/* How a shell tells of an end by a signal. */
#define EXIT_BY_SIGNAL 128
#define BUFFER_SIZE 65536u

static const int forwarded[] = {SIGHUP, SIGINT, SIGQUIT, SIGUSR1, SIGUSR2, SIGALRM, SIGTERM};

typedef struct {
    int pool, signals;
    int channel;  /* a socket to pmd that carries nothing: its end is that of the channel; -1 for none */
    int pipes[2]; /* to pmd and from it, until the worker has opened them */
    /* The frame whose payload is being read. */
    char type;
    size_t left;
    size_t header_size;
    unsigned char header[POOL_HEADER_SIZE];
    /* What was read of the pool's connection and not used yet. */
    size_t begin, end;
    char bytes[BUFFER_SIZE];
} worker;

static void say(const char *what, int error) {
    char line[256];
    text t = text_in(line, sizeof line);
    text_add(&t, "pm: ");
    text_add(&t, what);
    if (error != 0) {
        text_add(&t, ": ");
        text_add(&t, strerror(error));
    }
    text_add(&t, "\n");
    pm_fd_write(STDERR_FILENO, line, t.size);
}

static int watch_signals(void) {
    sigset_t set;
    sigemptyset(&set);
    for (size_t index = 0; index < sizeof forwarded / sizeof *forwarded; index++)
        sigaddset(&set, forwarded[index]);
    signal(SIGPIPE, SIG_IGN);
    if (sigprocmask(SIG_BLOCK, &set, NULL) < 0)
        return -errno;
    const int fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    return fd < 0 ? -errno : fd;
}

/* The descriptors of the channel, if the worker has one: the socket, and behind it the pipes. */
static int find_channel(worker *w) {
    const char *number = getenv("PM_CHANNEL_FD");
    uint64_t fd = 0;
    w->channel = w->pipes[0] = w->pipes[1] = -1;
    if (number == NULL)
        return 0;
    if (!text_to_number(number, 1 << 20, &fd))
        return -EBADF;
    w->channel = (int)fd;
    w->pipes[0] = w->channel + 1;
    w->pipes[1] = w->channel + 2;
    return 0;
}

static void close_pipes(worker *w) {
    pm_fd_close(w->pipes[0]);
    pm_fd_close(w->pipes[1]);
    w->pipes[0] = w->pipes[1] = -1;
}

/* pmd says nothing on the socket: what can be read of it is its end. */
static void tell_closed(worker *w) {
    pm_fd_close(w->channel);
    w->channel = -1;
    pool_send_closed(w->pool);
}

static void forward_signals(worker *w) {
    struct signalfd_siginfo info;
    while (pm_fd_read(w->signals, &info, sizeof info) == sizeof info)
        /* A pool that is gone is seen at its connection. */
        pool_send_signal(w->pool, (int)info.ssi_signo);
}

/* Uses what was read of a frame; false when its output cannot be written yet. */
static bool use_payload(worker *w) {
    size_t size = w->end - w->begin;
    if (size > w->left)
        size = w->left;
    const char *bytes = w->bytes + w->begin;
    if (w->type == POOL_EXIT)
        exit((unsigned char)bytes[0]);
    if (w->type == POOL_OUTPUT || w->type == POOL_ERRORS) {
        const int64_t written =
            pm_fd_write(w->type == POOL_OUTPUT ? STDOUT_FILENO : STDERR_FILENO, bytes, size);
        if (written == -EAGAIN)
            return false;
        /* Nobody reads it any more: that is no reason to keep the worker waiting. */
        if (written >= 0)
            size = (size_t)written;
    }
    w->begin += size;
    w->left -= size;
    return true;
}

static void use_header(worker *w) {
    w->header[w->header_size++] = (unsigned char)w->bytes[w->begin++];
    if (w->header_size < POOL_HEADER_SIZE)
        return;
    const unsigned char *h = w->header;
    w->left = h[0] | (size_t)h[1] << 8 | (size_t)h[2] << 16 | (size_t)h[3] << 24;
    w->type = (char)h[4];
    w->header_size = 0;
    if (w->type == POOL_RUNS)
        close_pipes(w);
}

static void use_frames(worker *w) {
    while (w->end > w->begin) {
        if (w->left == 0)
            use_header(w);
        else if (!use_payload(w))
            return;
    }
}

static void read_pool(worker *w) {
    use_frames(w);
    if (w->end > w->begin)
        return;
    const int64_t size = pm_fd_read(w->pool, w->bytes, sizeof w->bytes);
    if (size <= 0) {
        say("the pool of workers that this one ran in has ended", size < 0 ? (int)-size : 0);
        exit(EXIT_LOST);
    }
    w->begin = 0;
    w->end = (size_t)size;
    use_frames(w);
}

static int serve(worker *w) {
    for (;;) {
        const bool waits = w->end > w->begin;
        struct pollfd set[3] = {{.fd = w->signals, .events = POLLIN}};
        set[1].fd = !waits ? w->pool : w->type == POOL_OUTPUT ? STDOUT_FILENO : STDERR_FILENO;
        set[1].events = waits ? POLLOUT : POLLIN;
        set[2] = (struct pollfd){.fd = w->channel, .events = POLLIN};
        if (poll(set, 3, -1) < 0 && errno != EINTR)
            return errno;
        if (set[2].revents != 0)
            tell_closed(w);
        if (set[0].revents != 0)
            forward_signals(w);
        if (set[1].revents != 0)
            read_pool(w);
    }
}

/* The status of a worker that was never asked for. */
static int fail(const char *what, int error) {
    if (error == EINTR)
        return EXIT_BY_SIGNAL + SIGTERM;
    say(what, error);
    return EXIT_LOST;
}

static int run(const pool_order *order) {
    static worker w;
    w.signals = watch_signals();
    if (w.signals < 0)
        return fail("cannot wait for signals", -w.signals);
    int result = find_channel(&w);
    if (result < 0)
        return fail("cannot find the channel", -result);
    w.pool = pool_connect(order->socket, w.signals);
    if (w.pool < 0)
        return fail("cannot connect to the pool of workers", -w.pool);
    result = pool_send_start(w.pool, order, w.pipes);
    if (result < 0)
        return fail("cannot start in the pool of workers", -result);
    pm_fd_set_nonblocking(STDOUT_FILENO, true);
    pm_fd_set_nonblocking(STDERR_FILENO, true);
    result = serve(&w);
    say("cannot wait for the worker", result);
    return EXIT_SOFTWARE;
}

int main(int argc, char **argv) {
    if (argc < 6) {
        static const char usage[] = "pm-worker: only pm-init runs this program\n";
        pm_fd_write(STDERR_FILENO, usage, sizeof usage - 1);
        return EXIT_USAGE;
    }
    const pool_order order = {
        .socket = argv[1],
        .name = argv[2],
        .heap_mib = argv[3],
        .heartbeat = argv[4],
        .arguments = argv + 5,
        .environment = environ,
    };
    return run(&order);
}
