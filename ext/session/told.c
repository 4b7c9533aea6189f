/* told.c - the last lines on standard error: where the profile is, and what to type next. */
#include "told.h"

#include <string.h>
#include <unistd.h>

#include "messages.h"
#include "unfollowed.h"

static session *told_of;        /* owned */

void told_set(session *s)
{
    Py_XINCREF((PyObject *)s);
    told_of = s;
}

bool told_is_of(const session *s)
{
    return s == told_of;
}

/* A shell takes it as it stands, and so does the program. */
static bool is_plain(const char *path)
{
    return *path != '-' && !path[strspn(path, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                              "0123456789/._-+=:,@%")];
}

void told_tell(void)
{
    if (!told_of || told_of->pid != getpid() || told_of->inherited || told_of->failed)
        return;
    const unsigned n = unfollowed_count();
    if (n)
        messages_say("%u Python%s started that %s not in the profile: see --children", n,
                     n == 1 ? " was" : "s were", n == 1 ? "is" : "are");
    const char *to_type = is_plain(told_of->out.shown) ? "; to read it: nytprof " : "";
    if (told_of->started)
        messages_say("profile written to %s%s%s", told_of->out.shown, to_type,
                     *to_type ? told_of->out.shown : "");
    else
        messages_say("profiling was never switched on, so there is no profile");
}
