/* Progress: a thread of its own writes the line, so that the work is not asked how far it is. */
#include "progress.h"

#if defined(_WIN32) || !defined(NYT_THREADS)

void progress_begin(const struct nyt_cli_io *io, const char *doing, const char *what)
{
    (void)io, (void)doing, (void)what;
}

void progress_end(void)
{
}

void progress_make_place(void)
{
}

#else

#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static struct {
    pthread_mutex_t lock;
    pthread_cond_t over;
    pthread_t thread;
    bool running, ended, shown; /* `ended` and `shown` under the lock */
    FILE *err;
    const char *program, *doing, *what;
} now = {.lock = PTHREAD_MUTEX_INITIALIZER, .over = PTHREAD_COND_INITIALIZER};

static void erase(void)
{
    if (now.shown) {
        fputs("\r\033[K", now.err);
        fflush(now.err);
    }
    now.shown = false;
}

/* A name may hold anything. */
static void put_name(const char *name)
{
    enum { MOST = 40 };
    size_t len = strlen(name);
    const char *from = len > MOST ? name + len - MOST : name;
    for (; *from; from++)
        fputc((unsigned char)*from < ' ' || *from == 0x7F ? '?' : *from, now.err);
}

static void show(int seconds)
{
    fprintf(now.err, "\r%s: %s", now.program, now.doing);
    if (now.what) {
        fputc(' ', now.err);
        put_name(now.what);
    }
    fprintf(now.err, ", %d s\033[K", seconds);
    fflush(now.err);
    now.shown = true;
}

static void *tell(void *unused)
{
    struct timespec at;
    clock_gettime(CLOCK_REALTIME, &at);
    pthread_mutex_lock(&now.lock);
    for (int seconds = 1; !now.ended; seconds++) {
        at.tv_sec++;
        while (!now.ended && pthread_cond_timedwait(&now.over, &now.lock, &at) == 0)
            ;
        if (!now.ended)
            show(seconds);
    }
    erase();
    pthread_mutex_unlock(&now.lock);
    return unused;
}

/* No signal of the program's is for this thread. */
static bool begin_thread(void)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    bool ok = pthread_create(&now.thread, NULL, tell, NULL) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return ok;
}

void progress_begin(const struct nyt_cli_io *io, const char *doing, const char *what)
{
    progress_end();
    if (isatty(fileno(io->err)) != 1)
        return;
    now.err = io->err;
    now.program = io->program;
    now.doing = doing;
    now.what = what;
    now.ended = now.shown = false;
    now.running = begin_thread();
}

void progress_end(void)
{
    if (!now.running)
        return;
    pthread_mutex_lock(&now.lock);
    now.ended = true;
    pthread_cond_signal(&now.over);
    pthread_mutex_unlock(&now.lock);
    pthread_join(now.thread, NULL);
    now.running = false;
}

void progress_make_place(void)
{
    if (!now.running)
        return;
    pthread_mutex_lock(&now.lock);
    erase();
    pthread_mutex_unlock(&now.lock);
}

#endif
