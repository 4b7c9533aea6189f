/* Allocations that fail on demand; link with --wrap=malloc,--wrap=calloc,--wrap=realloc. */
#ifndef ALLOCATIONS_H
#define ALLOCATIONS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

/* The library has threads, too. */
static atomic_long allocations_left = -1; /* before one fails; negative: none does */
static atomic_size_t largest_allocation;

static bool allocation_fails(size_t size)
{
    if (size > largest_allocation)
        largest_allocation = size;
    return allocations_left >= 0 && atomic_fetch_sub(&allocations_left, 1) == 0;
}

void *__real_malloc(size_t size);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *p, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *p, size_t size);

void *__wrap_malloc(size_t size)
{
    return allocation_fails(size) ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t n, size_t size)
{
    return allocation_fails(n * size) ? NULL : __real_calloc(n, size);
}

void *__wrap_realloc(void *p, size_t size)
{
    return allocation_fails(size) ? NULL : __real_realloc(p, size);
}

#endif
