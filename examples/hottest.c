/*
 * hottest: the ten lines of a profile that took most time, with their source, and who called the
 * sub that took most. An example of libnytprof's use in C (or C++):
 *
 *     meson setup build -Dinstall_library=true -Dextensions=false && meson install -C build
 *     cc hottest.c $(pkg-config --cflags --libs nytprof) -o hottest
 *     ./hottest nytprof.out
 */
#include <nytprof.h>

#include <stdio.h>
#include <stdlib.h>

enum { TOP = 10 };

/*
 * Texts in a profile are counted bytes, as the profiled program had them: do not send them to a
 * terminal as they are. Here everything that is not printable ASCII becomes '?'.
 */
static void print_text(nyt_str s)
{
    size_t from = 0;
    while (from < s.len && (s.data[from] == ' ' || s.data[from] == '\t'))
        from++;
    for (size_t i = from; i < s.len && s.data[i] != '\n'; i++)
        putchar(s.data[i] >= ' ' && s.data[i] <= '~' ? s.data[i] : '?');
}

static void print_place(const nyt_profile *profile, uint32_t fid, uint32_t line)
{
    const nyt_file *file = nyt_profile_file(profile, fid);
    if (file)
        print_text(file->name);
    else
        printf("(no file)");
    if (line)
        printf(":%u", (unsigned)line);
}

/* ---- Lines ---- */

static int longest_first(const void *left, const void *right)
{
    const nyt_line *a = *(const nyt_line *const *)left, *b = *(const nyt_line *const *)right;
    return (a->time < b->time) - (a->time > b->time);
}

static void print_line(const nyt_profile *profile, const nyt_line *line)
{
    const nyt_str *source = nyt_profile_source_line(profile, line->fid, line->line);
    printf("%10.6f s %12lld times  ", line->time, (long long)line->count);
    print_place(profile, line->fid, line->line);
    printf("  ");
    if (source)     /* it is not in every profile */
        print_text(*source);
    putchar('\n');
}

/* Lists belong to the profile and are sorted by place, so we sort pointers. */
static int print_hottest_lines(const nyt_profile *profile)
{
    size_t n, found = 0;
    const nyt_line *lines = nyt_profile_all_lines(profile, NYT_LEVEL_LINE, &n);
    const nyt_line **ranked = malloc((n + 1) * sizeof *ranked);
    if (!ranked)
        return NYT_ENOMEM;
    for (size_t i = 0; i < n; i++) {
        const nyt_file *file = nyt_profile_file(profile, lines[i].fid);
        if (!file || !file->merged_into)    /* else they are in that one, too */
            ranked[found++] = &lines[i];
    }
    qsort(ranked, found, sizeof *ranked, longest_first);
    for (size_t i = 0; i < found && i < TOP; i++)
        print_line(profile, ranked[i]);
    free(ranked);
    return NYT_OK;
}

/* ---- Callers ---- */

/* NULL: the profile has no subs. */
static const nyt_sub *hottest_sub(const nyt_profile *profile)
{
    size_t n;
    const nyt_sub *subs = nyt_profile_subs(profile, &n), *hottest = NULL;
    for (size_t i = 0; i < n; i++)
        if (!hottest || subs[i].excl > hottest->excl)
            hottest = &subs[i];
    return hottest;
}

static void print_callers(const nyt_profile *profile, const nyt_sub *sub)
{
    size_t n;
    const nyt_call *calls = nyt_profile_callers(profile, sub, &n);
    printf("\n%10.6f s ", sub->excl);
    print_text(sub->name);
    printf(", called from\n");
    for (size_t i = 0; i < n; i++) {
        printf("%10.6f s %12llu times  ", calls[i].excl, (unsigned long long)calls[i].count);
        print_place(profile, calls[i].fid, calls[i].line);
        printf("  by ");
        print_text(calls[i].caller);
        putchar('\n');
    }
}

int main(int argc, char **argv)
{
    nyt_profile *profile;
    nyt_error err;
    if (argc != 2) {
        fputs("usage: hottest PROFILE\n", stderr);
        return 2;
    }
    if (nyt_profile_load(&profile, argv[1], NULL, &err) < 0) {
        fprintf(stderr, "hottest: %s: %s\n", argv[1], err.message);
        return 3;
    }
    if (!nyt_profile_totals(profile)->complete)
        fputs("hottest: the profile is incomplete\n", stderr);
    int rc = print_hottest_lines(profile);
    const nyt_sub *sub = hottest_sub(profile);
    if (sub)
        print_callers(profile, sub);
    nyt_profile_free(profile);
    return rc == NYT_OK ? 0 : 1;
}
