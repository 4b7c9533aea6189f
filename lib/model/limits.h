/* How much of one profile is held: files that mean harm must not fill the memory. */
#ifndef NYT_MODEL_LIMITS_H
#define NYT_MODEL_LIMITS_H

#include "nytprof.h"

/*
 * What is kept of each record, and not of each place, could be made of a small compressed file
 * without end. No program comes near these.
 */
enum { NYT_COMMENTS_MAX = 1000, NYT_PROCESSES_MAX = 1 << 20 };
#define NYT_TEXT_MAX ((size_t)1 << 30)      /* bytes of names and sources */

/* NYT_OK, or NYT_ELIMIT. */
int nyt_check_limits(size_t text_bytes, size_t processes, nyt_error *err);

#endif
