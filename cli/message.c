/* Messages: one line each, with the program's name in front. */
#include "message.h"

#include "progress.h"

#include <errno.h>
#include <stdarg.h>
#include <string.h>

static void say_list(const struct nyt_cli_io *io, const char *format, va_list arguments)
{
    fflush(io->out);
    progress_make_place();
    fprintf(io->err, "%s: ", io->program);
    vfprintf(io->err, format, arguments);
    fputc('\n', io->err);
}

void say(const struct nyt_cli_io *io, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    say_list(io, format, arguments);
    va_end(arguments);
}

enum exit_status usage_error(const struct nyt_cli_io *io, const char *command, const char *format,
                             ...)
{
    va_list arguments;
    va_start(arguments, format);
    say_list(io, format, arguments);
    va_end(arguments);
    fprintf(io->err, "Try '%s help%s%s' for more information.\n", io->program, command ? " " : "",
            command ? command : "");
    return EXIT_USAGE;
}

void complain(const struct nyt_cli_io *io, const char *path, const nyt_error *err)
{
    bool has_place = err->code == NYT_EFORMAT || err->code == NYT_ETRUNC ||
                     err->code == NYT_EDEFLATE || err->code == NYT_EVERSION;
    if (has_place)
        say(io, "%s: %s (at offset %llu%s)", path, err->message, (unsigned long long)err->offset,
            err->in_deflate ? " of the inflated data" : "");
    else
        say(io, "%s: %s", path, err->message);
}

enum exit_status bad_condition(const struct nyt_cli_io *io, const char *condition,
                               const nyt_error *err)
{
    return usage_error(io, "diff", "invalid value '%s' for --fail-if: %s (at character %llu)",
                       condition, err->message, (unsigned long long)err->offset + 1);
}

enum exit_status cannot_write(const struct nyt_cli_io *io, const char *path)
{
    say(io, "%s: cannot write: %s", path, strerror(errno));
    return EXIT_INCOMPLETE;
}
