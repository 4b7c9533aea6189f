/* A section has some of the lines of the whole profile, under the same files. */
#include "report/page_sections.h"

#include <math.h>
#include <stdlib.h>

enum { MOST_SECTIONS = 12 };

/* All that is kept of one. */
struct section {
    const struct nyt_section_line *lines;
    size_t count;
};

int64_t nyt_page_ticks(const nyt_profile *p, double seconds)
{
    double ticks = round(seconds * p->totals.ticks_per_sec);
    return ticks > -0x1p53 && ticks < 0x1p53 ? (int64_t)ticks : 0;
}

/* The page's numbers of lines, by their index in the profile; NYT_NONE: not shown. */
static uint32_t *number_lines(const nyt_profile *p, const bool *shown)
{
    size_t n = p->lines[NYT_LEVEL_LINE].count;
    uint32_t *numbers = calloc(n + 1, sizeof *numbers), next = 0;
    for (size_t i = 0; numbers && i < n; i++)
        numbers[i] = shown[i] ? next++ : NYT_NONE;
    return numbers;
}

/* The same line in the whole profile; NULL: it has none. Lines of a file are in order. */
static const nyt_line *same_line(const nyt_profile *p, const struct nyt_section_line *wanted)
{
    size_t n, low = 0;
    const nyt_line *lines = nyt_profile_lines(p, NYT_LEVEL_LINE, wanted->fid, &n);
    for (size_t high = n; high > low;) {
        size_t middle = low + (high - low) / 2;
        if (lines[middle].line < wanted->line)
            low = middle + 1;
        else
            high = middle;
    }
    return low < n && lines[low].line == wanted->line ? &lines[low] : NULL;
}

/* What a line of a section is in the page. */
struct shown_line {
    const struct nyt_section_line *line;
    uint32_t number;
};

static int by_number(const void *left, const void *right)
{
    const struct shown_line *a = left, *b = right;
    return (a->number > b->number) - (a->number < b->number);
}

/* *n of them, in the page's order. NULL: out of memory. */
static struct shown_line *find_lines(const nyt_profile *p, const uint32_t *numbers,
                                     const struct section *section, size_t *n)
{
    struct shown_line *found = calloc(section->count + 1, sizeof *found);
    *n = 0;
    for (size_t i = 0; found && i < section->count; i++) {
        const struct nyt_section_line *line = &section->lines[i];
        const nyt_line *whole = same_line(p, line);
        uint32_t number = whole ? numbers[whole - p->lines[NYT_LEVEL_LINE].list] : NYT_NONE;
        if (number != NYT_NONE && (line->count || line->time > 0))
            found[(*n)++] = (struct shown_line){line, number};
    }
    if (found)
        qsort(found, *n, sizeof *found, by_number);
    return found;
}

static void put_section(struct nyt_json *j, const nyt_profile *p, uint32_t id,
                        const struct shown_line *lines, size_t n)
{
    uint32_t last = 0;
    nyt_json_open(j, NULL, '{');
    nyt_json_count(j, "id", id);
    nyt_json_open(j, "i", '[');
    for (size_t i = 0; i < n; i++) {
        nyt_json_whole(j, NULL, (int64_t)lines[i].number - last);
        last = lines[i].number;
    }
    nyt_json_close(j, ']');
    nyt_json_open(j, "n", '[');
    for (size_t i = 0; i < n; i++)
        nyt_json_whole(j, NULL, lines[i].line->count);
    nyt_json_close(j, ']');
    nyt_json_open(j, "t", '[');
    for (size_t i = 0; i < n; i++)
        nyt_json_whole(j, NULL, nyt_page_ticks(p, lines[i].line->time));
    nyt_json_close(j, ']');
    nyt_json_close(j, '}');
}

/* The first line of `pid` or of one behind it. */
static size_t begin_of(const nyt_profile *p, uint64_t pid)
{
    size_t low = 0;
    for (size_t high = p->section_line_count; high > low;) {
        size_t middle = low + (high - low) / 2;
        if (p->section_lines[middle].pid < pid)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static struct section section_of(const nyt_profile *p, uint32_t pid)
{
    size_t begin = begin_of(p, pid);
    return (struct section){.lines = p->section_lines + begin,
                            .count = begin_of(p, (uint64_t)pid + 1) - begin};
}

static bool is_among(const uint32_t *pids, size_t n, uint32_t pid)
{
    for (size_t i = 0; i < n; i++)
        if (pids[i] == pid)
            return true;
    return false;
}

/* Those with most time, MOST_SECTIONS at most. Returns how many. */
static size_t choose_sections(const nyt_profile *p, uint32_t *pids)
{
    size_t n = 0;
    while (p->section_line_count && n < MOST_SECTIONS) {
        const nyt_process *best = NULL;
        for (size_t i = 0; i < p->process_count; i++) {
            const nyt_process *one = &p->processes[i];
            if ((!best || one->statement_time > best->statement_time) &&
                !is_among(pids, n, one->pid))
                best = one;
        }
        if (!best)
            break;
        pids[n++] = best->pid;
    }
    return n;
}

bool nyt_page_sections(struct nyt_json *j, const nyt_profile *p, const bool *shown)
{
    uint32_t pids[MOST_SECTIONS], *numbers = number_lines(p, shown);
    size_t n = choose_sections(p, pids);
    bool ok = numbers != NULL;
    nyt_json_open(j, "section", '[');
    for (size_t i = 0; ok && i < n; i++) {
        size_t count;
        struct section section = section_of(p, pids[i]);
        struct shown_line *lines = find_lines(p, numbers, &section, &count);
        ok = lines != NULL;
        if (ok)
            put_section(j, p, pids[i], lines, count);
        free(lines);
    }
    nyt_json_close(j, ']');
    free(numbers);
    return ok;
}
