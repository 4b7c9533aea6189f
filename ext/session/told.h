/* told.h - the last lines on standard error: where the profile is, and what to type next. */
#ifndef PYNYTPROF_SESSION_TOLD_H
#define PYNYTPROF_SESSION_TOLD_H

#include "state.h"

/* Which session they tell of, kept to the end of the process; NULL: none. */
void told_set(session *s);
bool told_is_of(const session *s);

/* Its profile is complete. */
void told_tell(void);

#endif
