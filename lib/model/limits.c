/* Limits of what is held of one profile. */
#include "model/limits.h"

#include "base/error.h"

int nyt_check_limits(size_t text_bytes, size_t processes, nyt_error *err)
{
    if (text_bytes > NYT_TEXT_MAX)
        return nyt_fail(err, NYT_ELIMIT, "its names and sources take more than %zu MiB",
                        NYT_TEXT_MAX >> 20);
    if (processes > NYT_PROCESSES_MAX)
        return nyt_fail(err, NYT_ELIMIT, "it has more than %d processes", NYT_PROCESSES_MAX);
    return NYT_OK;
}
