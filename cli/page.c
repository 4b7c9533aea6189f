/* html: the report as one page, and a browser that shows it; or the report of Perl's nytprofhtml. */
#include "page.h"

#include "load.h"
#include "message.h"
#include "progress.h"
#include "streams.h"
#include "target.h"

#include <stdlib.h>
#include <string.h>

#ifndef _WIN32
#include <spawn.h>
#include <sys/wait.h>

extern char **environ;
#endif

/* Runs a program found on PATH and waits for it: its exit status, or -1 if it could not run. */
static int run_program(char *const words[])
{
#ifdef _WIN32
    (void)words;
    return -1;
#else
    pid_t pid;
    int status;
    if (posix_spawnp(&pid, words[0], NULL, NULL, words, environ) != 0)
        return -1;
    if (waitpid(pid, &status, 0) != pid || !WIFEXITED(status))
        return -1;
    return WEXITSTATUS(status) == 127 ? -1 : WEXITSTATUS(status);
#endif
}

/* "run.out" -> "run.html", beside it; of standard input "nytprof.html". Freed by the caller. */
static char *page_name(const char *profile)
{
    const char *stem = is_stdin(profile) ? "nytprof" : profile;
    size_t len = strlen(stem);
    if (len > 4 && strcmp(stem + len - 4, ".out") == 0)
        len -= 4;
    char *name = malloc(len + sizeof ".html");
    if (name) {
        memcpy(name, stem, len);
        strcpy(name + len, ".html");
    }
    return name;
}

/* What the desktop opens pages with; false: it has no such thing. */
static bool open_in_browser(const char *page)
{
    static const char *const openers[] = {"xdg-open", "open", NULL};
    for (int i = 0; openers[i]; i++) {
        char *const words[] = {(char *)openers[i], (char *)page, NULL};
        if (run_program(words) == 0)
            return true;
    }
    return false;
}

/* ---- The page ---- */

static enum exit_status write_page(const struct options *o, const nyt_profile *p,
                                   const nyt_page_options *how, const char *name)
{
    struct target t = {.path = name};
    nyt_error err = {0};
    if (!open_target(&t, o->io->out)) {
        close_target(&t, o->io->out, false);
        return cannot_write(o->io, name);
    }
    if (strcmp(name, "-") != 0)
        progress_begin(o->io, "making", name);
    int rc = nyt_report_page(p, how, write_stream, t.out, &err);
    progress_end();
    bool done = close_target(&t, o->io->out, rc == NYT_OK);
    if (rc < 0 && rc != NYT_EIO) {
        complain(o->io, name, &err);
        return EXIT_INCOMPLETE;
    }
    return done && rc == NYT_OK ? EXIT_FINE : cannot_write(o->io, name);
}

static enum exit_status page_of(const struct options *o, const nyt_profile *p, const char *name)
{
    nyt_profile *other = NULL;
    nyt_error err;
    if (o->against && load_profile(&other, o, o->against, &err) < 0)
        return unreadable(o, o->against, &err);
    nyt_page_options how = {.max_bytes = o->max_bytes, .compare = other};
    enum exit_status status = write_page(o, p, &how, name);
    nyt_profile_free(other);
    return status;
}

static enum exit_status make_page(const struct options *o, const char *profile, const char *name)
{
    nyt_profile *p = NULL;
    nyt_error err;
    if (load_sections(&p, o, profile, &err) < 0)
        return unreadable(o, profile, &err);
    enum exit_status status = page_of(o, p, name);
    if (status == EXIT_FINE && !nyt_profile_totals(p)->complete)
        say(o->io, "%s: the profile is incomplete", profile);
    nyt_profile_free(p);
    return status;
}

/* Perl's report is a directory of files. */
static enum exit_status perl_report(const struct options *o, const char *profile)
{
    char *const words[] = {"nytprofhtml",
                           "--file",
                           (char *)profile,
                           "--out",
                           o->output ? (char *)o->output : "nytprof",
                           NULL};
    fflush(o->io->out);
    int status = run_program(words);
    if (status < 0)
        say(o->io, "nytprofhtml is not installed (Debian: libdevel-nytprof-perl)");
    else if (status > 0)
        say(o->io, "%s: nytprofhtml failed with status %d", profile, status);
    return status == 0 ? EXIT_FINE : EXIT_INCOMPLETE;
}

enum exit_status command_html(const struct options *o, char **paths, int count)
{
    (void)count;
    if (o->perl)
        return perl_report(o, paths[0]);
    char *name = o->output ? strdup(o->output) : page_name(paths[0]);
    if (!name)
        return EXIT_INCOMPLETE;
    enum exit_status status = make_page(o, paths[0], name);
    bool standard = strcmp(name, "-") == 0;
    if (status == EXIT_FINE && !standard && !o->quiet)
        fprintf(o->io->out, "%s\n", name);
    if (status == EXIT_FINE && !standard && o->open && !open_in_browser(name))
        say(o->io, "%s: no browser could be started", name);
    free(name);
    return status;
}
