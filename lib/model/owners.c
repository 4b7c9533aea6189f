/*
 * Each section of a profile of ours is a thread, and the first is the process's own; each of Perl's
 * is a process. In a merged profile of ours a comment lists those that are processes, "Processes:
 * 12 15"; older ones have none, and then it cannot be known.
 */
#include "model/owners.h"

#include "base/str.h"

#include <string.h>

static const char list[] = "Processes: ";

static bool begins_with(nyt_str text, const char *begin)
{
    size_t len = strlen(begin);
    return text.len >= len && memcmp(text.data, begin, len) == 0;
}

bool nyt_owners_is_list(nyt_str comment)
{
    return begins_with(comment, list);
}

static bool take_list(struct nyt_owners *o, nyt_str numbers)
{
    bool is_new, ok = true;
    o->listed = true;
    for (size_t at = 0; ok && at < numbers.len;) {
        nyt_str rest = {.data = numbers.data + at, .len = numbers.len - at};
        int64_t pid = nyt_str_to_int(rest);
        if (pid > 0 && pid <= UINT32_MAX)
            ok = nyt_map_take(&o->pids, (uint64_t)pid, &is_new) != NULL;
        const char *blank = memchr(rest.data, ' ', rest.len);
        at = blank ? (size_t)(blank - numbers.data) + 1 : numbers.len;
    }
    return ok;
}

bool nyt_owners_heed(struct nyt_owners *o, nyt_str comment)
{
    const size_t len = sizeof list - 1;
    o->ours |= begins_with(comment, "Python profile by ");
    o->merged |= begins_with(comment, "Merged from ");
    return !nyt_owners_is_list(comment) ||
           take_list(o, (nyt_str){.data = comment.data + len, .len = comment.len - len});
}

uint32_t nyt_owner_of(struct nyt_owners *o, const nyt_pid_start *s)
{
    bool is_first = !o->begun;
    o->begun = true;
    if (is_first)
        o->first = s->pid;
    if (o->listed)
        return nyt_map_find(&o->pids, s->pid) ? s->pid : s->parent;
    if (is_first || !o->ours || s->pid == o->first)
        return s->pid;
    return o->merged ? 0 : o->first;
}

void nyt_owners_free(struct nyt_owners *o)
{
    nyt_map_free(&o->pids);
}
