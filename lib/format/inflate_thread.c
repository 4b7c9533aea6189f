/*
 * Half of the time that a compressed profile takes is zlib's. Here another thread inflates into
 * a few blocks, as far as they go; it reads nothing and calls nobody, so that a source may still
 * be whatever its owner likes. Whoever takes the blocks waits for the next one, and that is all
 * there is between the two.
 */
#include "format/inflate_thread.h"

#ifdef NYT_THREADS

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#ifndef NYT_INFLATE_THREAD_BYTES
#define NYT_INFLATE_THREAD_BYTES (128 * 1024)
#endif

enum { BLOCKS = 4 };

struct block {
    enum nyt_inflated how;
    size_t len;
    uint8_t data[NYT_INFLATE_THREAD_BYTES];
};

struct nyt_inflate_thread {
    struct nyt_inflater *f;
    pthread_t thread;
    pthread_mutex_t lock;       /* of what follows */
    pthread_cond_t made_one, may_go_on;
    unsigned made, taken;
    bool held_up; /* what was made last gave no bytes: its taker may look at `f` */
    bool quit;
    size_t given; /* the taker's: so much of the first block, */
    bool seen;    /* which gave no bytes, but the taker knows what it says */
    struct block blocks[BLOCKS];
};

static bool has_room(const struct nyt_inflate_thread *a)
{
    return a->made - a->taken < BLOCKS && !a->held_up;
}

static void *inflate_blocks(void *thread)
{
    struct nyt_inflate_thread *a = thread;
    pthread_mutex_lock(&a->lock);
    for (;;) {
        while (!a->quit && !has_room(a))
            pthread_cond_wait(&a->may_go_on, &a->lock);
        if (a->quit)
            break;
        struct block *block = &a->blocks[a->made % BLOCKS];
        pthread_mutex_unlock(&a->lock);
        block->how = nyt_inflate(a->f, block->data, NYT_INFLATE_THREAD_BYTES, &block->len);
        pthread_mutex_lock(&a->lock);
        a->held_up = block->how != NYT_INFLATED_SOME;
        a->made++;
        pthread_cond_signal(&a->made_one);
    }
    pthread_mutex_unlock(&a->lock);
    return NULL;
}

/* Signals are for the threads of the program that we are in. */
static bool start_thread(struct nyt_inflate_thread *a)
{
    sigset_t all, before;
    sigfillset(&all);
    if (pthread_sigmask(SIG_SETMASK, &all, &before) != 0)
        return false;
    bool started = pthread_create(&a->thread, NULL, inflate_blocks, a) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return started;
}

static void destroy(struct nyt_inflate_thread *a)
{
    pthread_cond_destroy(&a->may_go_on);
    pthread_cond_destroy(&a->made_one);
    pthread_mutex_destroy(&a->lock);
    free(a);
}

struct nyt_inflate_thread *nyt_inflate_thread_new(struct nyt_inflater *f)
{
    struct nyt_inflate_thread *a = malloc(sizeof *a);
    if (!a)
        return NULL;
    a->f = f;
    a->made = a->taken = 0;
    a->held_up = a->quit = false;
    a->given = 0;
    a->seen = false;
    pthread_mutex_init(&a->lock, NULL);     /* which, with usual attributes, do not fail where */
    pthread_cond_init(&a->made_one, NULL);  /* there are threads at all */
    pthread_cond_init(&a->may_go_on, NULL);
    if (start_thread(a))
        return a;
    destroy(a);
    return NULL;
}

static struct block *wait_for_block(struct nyt_inflate_thread *a)
{
    pthread_mutex_lock(&a->lock);
    while (a->made == a->taken)
        pthread_cond_wait(&a->made_one, &a->lock);
    struct block *block = &a->blocks[a->taken % BLOCKS];
    pthread_mutex_unlock(&a->lock);
    return block;
}

static void give_back(struct nyt_inflate_thread *a)
{
    pthread_mutex_lock(&a->lock);
    a->taken++;
    if (a->taken == a->made)
        a->held_up = false;
    pthread_cond_signal(&a->may_go_on);
    pthread_mutex_unlock(&a->lock);
    a->given = 0;
}

/* A block that gave no bytes is given back by the next call: until then nothing goes on. */
enum nyt_inflated nyt_inflate_thread_next(struct nyt_inflate_thread *a, uint8_t *to, size_t room,
                                          size_t *got)
{
    if (a->seen)
        give_back(a);
    const struct block *block = wait_for_block(a);
    enum nyt_inflated how = block->how;
    size_t left = block->len - a->given;
    *got = left < room ? left : room;
    memcpy(to, block->data + a->given, *got);
    a->given += *got;
    a->seen = how != NYT_INFLATED_SOME;
    if (!a->seen && a->given == block->len)
        give_back(a);
    return how;
}

void nyt_inflate_thread_free(struct nyt_inflate_thread *a)
{
    if (!a)
        return;
    pthread_mutex_lock(&a->lock);
    a->quit = true;
    pthread_cond_signal(&a->may_go_on);
    pthread_mutex_unlock(&a->lock);
    pthread_join(a->thread, NULL);
    destroy(a);
}

#else

struct nyt_inflate_thread *nyt_inflate_thread_new(struct nyt_inflater *f)
{
    (void)f;
    return NULL;
}

enum nyt_inflated nyt_inflate_thread_next(struct nyt_inflate_thread *a, uint8_t *to, size_t room,
                                          size_t *got)
{
    (void)a, (void)to, (void)room;
    *got = 0;
    return NYT_INFLATED_FAULT;
}

void nyt_inflate_thread_free(struct nyt_inflate_thread *a)
{
    (void)a;
}

#endif
