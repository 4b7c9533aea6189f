/*
 * top: what costs most, again and again while the program runs. The profile is read as a whole each
 * time that there is a new one: who writes it puts another file in its place, so none that is read
 * is half written. Without a terminal it is shown once.
 */
#include "top.h"

#include "load.h"
#include "message.h"
#include "streams.h"
#include "terminal.h"
#include "top_list.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

enum { USUAL_ROWS = 15, AROUND = 4 };      /* lines of the screen that are no rows */

struct top {
    const struct options *o;
    const char *path;
    nyt_profile *p;         /* owned; NULL: none could be read yet */
    struct stat st;         /* of its file */
    char trouble[320];      /* why the newest one can't be read */
    struct top_view view;
};

/* ---- The newest profile ---- */

static bool is_same_file(const struct stat *a, const struct stat *b)
{
    return a->st_dev == b->st_dev && a->st_ino == b->st_ino && a->st_size == b->st_size &&
           a->st_mtime == b->st_mtime;
}

/* The last one stays where a new one can't be read. */
static void take_newest(struct top *t, nyt_error *err)
{
    struct stat now;
    nyt_profile *p;
    *err = (nyt_error){0};
    if (stat(t->path, &now) == 0 && t->p && is_same_file(&now, &t->st))
        return;
    if (load_profile(&p, t->o, t->path, err) < 0) {
        snprintf(t->trouble, sizeof t->trouble, "%s", err->message);
        return;
    }
    nyt_profile_free(t->p);
    t->p = p;
    t->st = now;
    *t->trouble = '\0';
}

/* ---- What is said of it ---- */

/* Whether its program is still there, as far as can be seen from here. */
static bool is_gone(const nyt_profile *p)
{
#ifdef _WIN32
    (void)p;
    return false;
#else
    size_t n;
    const nyt_process *all = nyt_profile_processes(p, &n);
    return n && kill((pid_t)all[0].pid, 0) != 0 && errno == ESRCH;
#endif
}

static void put_state(struct nyt_out *o, const struct top *t)
{
    const nyt_totals *totals = nyt_profile_totals(t->p);
    long age = (long)(time(NULL) - t->st.st_mtime);
    if (*t->trouble)
        nyt_out_safe(o, (nyt_str){t->trouble, strlen(t->trouble)}, 0);
    else if (totals->complete)
        nyt_out_text(o, "complete");
    else if (!totals->snapshot)
        nyt_out_text(o, "incomplete");
    else if (is_gone(t->p))
        nyt_out_text(o, "the last snapshot: its process is gone");
    else
        nyt_out_format(o, "running; as of %ld s ago", age > 0 ? age : 0);
}

static void put_head(struct nyt_out *o, const struct top *t)
{
    const nyt_totals *totals = nyt_profile_totals(t->p);
    nyt_str name = {t->path, strlen(t->path)};
    size_t room = t->view.width > 44 ? t->view.width - 42 : 0;
    nyt_out_safe(o, room ? nyt_safe_last(name, room) : name, room);
    nyt_out_text(o, ": ");
    put_state(o, t);
    nyt_out_text(o, "\n");
    nyt_out_time(o, totals->wall, 0);
    nyt_out_text(o, " on the clock, ");
    nyt_out_count(o, (int64_t)totals->calls, 0);
    nyt_out_text(o, " calls\n");
}

/* ---- Once ---- */

static enum exit_status show_once(struct top *t, FILE *out)
{
    struct nyt_out *o = malloc(sizeof *o);
    nyt_error err = {.code = NYT_ENOMEM, .message = "out of memory"};
    if (!o)
        return unreadable(t->o, t->path, &err);
    nyt_out_begin(o, write_stream, out);
    put_head(o, t);
    int rc = NYT_OK;
    for (int functions = 0; functions < 2 && rc == NYT_OK; functions++) {
        t->view.functions = functions;
        nyt_out_text(o, "\n");
        rc = put_top_list(o, t->p, &t->view);
        nyt_out_text(o, "\n");
    }
    if (t->view.told_shared)
        nyt_out_text(o, "\n" NYT_SHARED_WORDS "\n");
    int ended = nyt_out_end(o, &err);
    free(o);
    return finished(t->o, rc < 0 ? rc : ended, t->path, out, &err);
}

/* ---- Live ---- */

/* There may be a sentence about them. */
static bool has_shared(const nyt_profile *p)
{
    size_t n;
    bool has = false;
    const nyt_line *lines = nyt_profile_all_lines(p, NYT_LEVEL_LINE, &n);
    for (size_t i = 0; !has && i < n; i++)
        has = lines[i].shared;
    return has;
}

static void put_shared_words(struct nyt_out *o, size_t row, size_t width)
{
    static const char words[] = NYT_SHARED_WORDS;
    nyt_out_format(o, "\033[%zuH", row);
    nyt_out_safe(o, (nyt_str){words, sizeof words - 1}, width);
}

static int put_screen(struct top *t, struct nyt_out *o, FILE *out)
{
    size_t rows;
    terminal_size(out, &rows, &t->view.width);
    size_t around = has_shared(t->p) ? AROUND + 1 : AROUND, fit = rows > around ? rows - around : 1;
    t->view.rows = t->o->report.top && t->o->report.top < fit ? t->o->report.top : fit;
    nyt_out_text(o, "\033[H\033[2J");
    put_head(o, t);
    t->view.told_shared = false;
    int rc = put_top_list(o, t->p, &t->view);
    if (t->view.told_shared && rows > AROUND + 1)
        put_shared_words(o, rows - 1, t->view.width - 1);
    nyt_out_format(o, "\033[%zuH", rows);
    static const char keys[] =
        "l lines  f functions  s self  i incl  c count  p project/all  q quit";
    nyt_out_safe(o, (nyt_str){keys, sizeof keys - 1}, t->view.width - 1);
    return rc;
}

static int draw(struct top *t, FILE *out)
{
    struct nyt_out *o = malloc(sizeof *o);
    if (!o)
        return NYT_ENOMEM;
    nyt_out_begin(o, write_stream, out);
    int rc = put_screen(t, o, out), ended = nyt_out_end(o, NULL);
    free(o);
    return rc < 0 ? rc : ended < 0 || fflush(out) != 0 ? NYT_EIO : NYT_OK;
}

/* False: it ends. */
static bool take_key(struct top_view *v, int key)
{
    switch (key) {
    case 'l':
        v->functions = false;
        break;
    case 'f':
        v->functions = true;
        break;
    case 's':
        v->sort = NYT_SORT_TIME;
        break;
    case 'i':
        v->sort = NYT_SORT_INCL;
        break;
    case 'c':
        v->sort = NYT_SORT_COUNT;
        break;
    case 'p':
        v->project = !v->project;
        break;
    default:
        break;
    }
    return key >= 0 && key != 'q' && key != 'Q';
}

static enum exit_status show_live(struct top *t, FILE *out)
{
    enum { USUAL_DELAY = 1, MS = 1000 };
    size_t delay = t->o->delay ? t->o->delay : USUAL_DELAY;
    int ms = delay < 3600 ? (int)delay * MS : 3600 * MS, rc;
    nyt_error err;
    do {
        take_newest(t, &err);
        rc = draw(t, out);
    } while (rc == NYT_OK && take_key(&t->view, terminal_key(ms)));
    terminal_end(out);
    terminal_end_as_told();
    return rc == NYT_OK ? EXIT_FINE : EXIT_INCOMPLETE;
}

enum exit_status command_top(const struct options *o, const char *path, FILE *out)
{
    struct options silent = *o;
    struct top t = {.o = &silent, .path = path};
    nyt_error err;
    t.view = (struct top_view){.functions = o->functions,
                               .project = true,
                               .sort = (nyt_sort)o->sort,
                               .rows = o->report.top ? o->report.top : USUAL_ROWS,
                               .width = o->report.width};
    silent.silent = true;       /* the screen is the terminal's alone */
    take_newest(&t, &err);
    if (!t.p)
        return unreadable(o, path, &err);
    enum exit_status status = terminal_begin(o->io->in, out) ? show_live(&t, out)
                                                             : show_once(&t, out);
    nyt_profile_free(t.p);
    return status;
}
