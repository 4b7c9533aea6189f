/* Codes to words. */
#include "base/error.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

const char *nyt_strerror(int code)
{
    switch (code) {
    case NYT_OK:
        return "success";
    case NYT_EIO:
        return "input or output failed";
    case NYT_ENOMEM:
        return "out of memory";
    case NYT_EFORMAT:
        return "not a valid NYTProf profile";
    case NYT_EVERSION:
        return "unsupported version of the NYTProf format";
    case NYT_ETRUNC:
        return "the profile is incomplete";
    case NYT_EDEFLATE:
        return "the compressed data is damaged";
    case NYT_ELIMIT:
        return "a limit of this program was reached";
    case NYT_EAPI:
        return "the library was called wrongly";
    case NYT_ECHUNK:
        return "malformed chunk";
    default:
        return "unknown error";
    }
}

static void fill(nyt_error *err, int code, int sys_errno, const char *format, va_list args)
{
    if (!err)
        return;
    memset(err, 0, sizeof *err);
    err->code = code;
    err->sys_errno = sys_errno;
    vsnprintf(err->message, sizeof err->message, format, args);
}

int nyt_fail(nyt_error *err, int code, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    fill(err, code, 0, format, args);
    va_end(args);
    return code;
}

int nyt_fail_errno(nyt_error *err, const char *format, ...)
{
    int saved = errno;
    va_list args;
    va_start(args, format);
    fill(err, NYT_EIO, saved, format, args);
    va_end(args);
    if (err) {
        size_t used = strlen(err->message);
        snprintf(err->message + used, sizeof err->message - used, ": %s", strerror(saved));
    }
    errno = saved;
    return NYT_EIO;
}
