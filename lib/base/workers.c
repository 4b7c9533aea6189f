/* Jobs done by several threads and taken in order by one: see workers.h. */
#include "base/workers.h"

#include "nytprof.h"

static int alone(size_t n, nyt_worker_job *job, nyt_worker_take *take, void *ctx)
{
    int rc = NYT_OK;
    for (size_t i = 0; rc >= 0 && i < n; i++) {
        job(ctx, i);
        rc = take(ctx, i);
    }
    return rc;
}

#ifdef NYT_THREADS

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

enum { MOST_THREADS = 16 };

struct workers {
    size_t n;
    nyt_worker_job *job;
    void *ctx;
    pthread_t threads[MOST_THREADS];
    size_t thread_count;
    pthread_mutex_t lock;               /* of what follows */
    pthread_cond_t done_one, taken_one;
    size_t begun, taken;
    bool *done;
    bool enough;
};

static bool may_begin(const struct workers *c)
{
    return c->begun <= c->taken + c->thread_count;
}

static void *work(void *ctx)
{
    struct workers *c = ctx;
    pthread_mutex_lock(&c->lock);
    while (!c->enough && c->begun < c->n) {
        if (!may_begin(c)) {
            pthread_cond_wait(&c->taken_one, &c->lock);
            continue;
        }
        size_t i = c->begun++;
        pthread_mutex_unlock(&c->lock);
        c->job(c->ctx, i);
        pthread_mutex_lock(&c->lock);
        c->done[i] = true;
        pthread_cond_signal(&c->done_one);
    }
    pthread_mutex_unlock(&c->lock);
    return NULL;
}

/* Signals are for the threads of the program that we are in. */
static void start(struct workers *c, size_t wanted)
{
    sigset_t all, before;
    sigfillset(&all);
    if (pthread_sigmask(SIG_SETMASK, &all, &before) != 0)
        return;
    pthread_mutex_lock(&c->lock);
    while (c->thread_count < wanted &&
           pthread_create(&c->threads[c->thread_count], NULL, work, c) == 0)
        c->thread_count++;
    pthread_mutex_unlock(&c->lock);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
}

static void wait_for(struct workers *c, size_t i)
{
    pthread_mutex_lock(&c->lock);
    while (!c->done[i])
        pthread_cond_wait(&c->done_one, &c->lock);
    pthread_mutex_unlock(&c->lock);
}

static void report_taken(struct workers *c, size_t i, bool enough)
{
    pthread_mutex_lock(&c->lock);
    c->taken = i + 1;
    c->enough = enough;
    pthread_cond_broadcast(&c->taken_one);
    pthread_mutex_unlock(&c->lock);
}

static int take_all(struct workers *c, nyt_worker_take *take)
{
    int rc = NYT_OK;
    for (size_t i = 0; rc >= 0 && i < c->n; i++) {
        wait_for(c, i);
        rc = take(c->ctx, i);
        report_taken(c, i, rc < 0);
    }
    return rc;
}

static size_t threads_for(size_t n)
{
    long processors = sysconf(_SC_NPROCESSORS_ONLN);
    size_t most = processors < 1              ? 1
                  : processors > MOST_THREADS ? MOST_THREADS
                                              : (size_t)processors;
    return n < most ? n : most;
}

int nyt_workers_run(size_t n, nyt_worker_job *job, nyt_worker_take *take, void *ctx)
{
    struct workers c = {.n = n, .job = job, .ctx = ctx};
    size_t wanted = threads_for(n);
    c.done = wanted > 1 ? calloc(n, sizeof *c.done) : NULL;
    if (!c.done)
        return alone(n, job, take, ctx);
    pthread_mutex_init(&c.lock, NULL);
    pthread_cond_init(&c.done_one, NULL);
    pthread_cond_init(&c.taken_one, NULL);
    start(&c, wanted);
    int rc = c.thread_count ? take_all(&c, take) : alone(n, job, take, ctx);
    for (size_t i = 0; i < c.thread_count; i++)
        pthread_join(c.threads[i], NULL);
    pthread_cond_destroy(&c.taken_one);
    pthread_cond_destroy(&c.done_one);
    pthread_mutex_destroy(&c.lock);
    free(c.done);
    return rc;
}

#else

int nyt_workers_run(size_t n, nyt_worker_job *job, nyt_worker_take *take, void *ctx)
{
    return alone(n, job, take, ctx);
}

#endif
