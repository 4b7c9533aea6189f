/* Several threads for jobs that have nothing to do with one another. */
#ifndef NYT_BASE_WORKERS_H
#define NYT_BASE_WORKERS_H

#include <stddef.h>

/* Does job i; on any thread, several at once. */
typedef void nyt_worker_job(void *ctx, size_t i);
/* Takes what job i made; on the caller's thread, in order. Negative: that is enough. */
typedef int nyt_worker_take(void *ctx, size_t i);

/*
 * Jobs 0 to n - 1. Those that are done but not yet taken are never more than there are threads
 * and one, so that memory is bounded. Returns what `take` returned last. When it was negative, some
 * more jobs may have been done, and nobody took what they made. Without threads, and for one
 * job, each is done when it is its turn.
 */
int nyt_workers_run(size_t n, nyt_worker_job *job, nyt_worker_take *take, void *ctx);

#endif
