/* How failures are reported: see nyt_error. */
#ifndef NYT_BASE_ERROR_H
#define NYT_BASE_ERROR_H

#include "nytprof.h"

#if defined(__GNUC__)
#define NYT_PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))
#else
#define NYT_PRINTF(fmt, args)
#endif

/* Fills *err (may be NULL) with code and sentence, all else zero; returns code. */
int nyt_fail(nyt_error *err, int code, const char *format, ...) NYT_PRINTF(3, 4);
/* The same for NYT_EIO: takes errno as it is, and adds its words to the sentence. */
int nyt_fail_errno(nyt_error *err, const char *format, ...) NYT_PRINTF(2, 3);

#endif
