/* SIGPIPE and SIGXFSZ kept off while we write. */
#define _GNU_SOURCE
#include "quiet.h"

#include <time.h>

void quiet_begin(quiet *q)
{
    sigemptyset(&q->masked);
    sigaddset(&q->masked, SIGXFSZ);
    sigaddset(&q->masked, SIGPIPE);
    sigpending(&q->pending);
    pthread_sigmask(SIG_BLOCK, &q->masked, &q->before);
}

void quiet_end(const quiet *q)
{
    static const int signums[] = {SIGXFSZ, SIGPIPE};
    for (size_t i = 0; i < sizeof signums / sizeof *signums; i++) {
        const struct timespec at_once = {0};
        sigset_t now, one;
        sigemptyset(&one);
        sigaddset(&one, signums[i]);
        if (sigpending(&now) == 0 && sigismember(&now, signums[i]) == 1 &&
            sigismember(&q->pending, signums[i]) != 1)
            sigtimedwait(&one, NULL, &at_once);
    }
    pthread_sigmask(SIG_SETMASK, &q->before, NULL);
}
