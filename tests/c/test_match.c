/*
 * What of one profile is what of another: small programs before and after a change, and the pairs
 * that are expected. Every case is matched in both directions.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "bytes.h"

#include "diff/match.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

enum { FILES = 3, SUBS = 3 };

/* Each line of a file is its text up to the newline. Without text, `lines` says how many. */
struct file {
    const char *name, *text;
    unsigned lines;
    unsigned eval_fid, eval_line;
};

struct sub {
    const char *name;
    unsigned fid, first, last;
};

struct program {
    struct file files[FILES];
    struct sub subs[SUBS];
};

struct change {
    const char *claim;
    struct program before, after;
    const char *lines; /* FID:LINE=FID:LINE of each pair, in the order of the first */
    const char *subs;  /* NAME=NAME */
};

#define F "def compute(x):\n    total = x + 1\n    return total * 2\n"
#define G "def display(y):\n    print('value', y)\n"

static const struct change changes[] = {
    {"nothing changed",
     {{{"/a/x.py", F, 0, 0, 0}}, {{"x::compute", 1, 1, 3}}},
     {{{"/a/x.py", F, 0, 0, 0}}, {{"x::compute", 1, 1, 3}}},
     "1:1=1:1 1:2=1:2 1:3=1:3 ",
     "x::compute=x::compute "},
    {"a line was inserted in a sub",
     {{{"/a/x.py", F, 0, 0, 0}}, {{"x::compute", 1, 1, 3}}},
     {{{"/a/x.py", "def compute(x):\n    check(x)\n    total = x + 1\n    return total * 2\n", 0, 0,
        0}},
      {{"x::compute", 1, 1, 4}}},
     "1:1=1:1 1:2=1:3 1:3=1:4 ",
     "x::compute=x::compute "},
    {"two subs changed places",
     {{{"/a/x.py", F G, 0, 0, 0}}, {{"x::compute", 1, 1, 3}, {"x::display", 1, 4, 5}}},
     {{{"/a/x.py", G F, 0, 0, 0}}, {{"x::compute", 1, 3, 5}, {"x::display", 1, 1, 2}}},
     "1:1=1:3 1:2=1:4 1:3=1:5 1:4=1:1 1:5=1:2 ",
     "x::compute=x::compute x::display=x::display "},
    {"another checkout, in another order: the ends of the paths tell",
     {{{"/home/a/src/m/x.py", F, 0, 0, 0}, {"/home/a/src/n/x.py", G, 0, 0, 0}}, {{0}}},
     {{{"/tmp/b/src/n/x.py", G, 0, 0, 0}, {"/tmp/b/src/m/x.py", F, 0, 0, 0}}, {{0}}},
     "1:1=2:1 1:2=2:2 1:3=2:3 2:1=1:1 2:2=1:2 ",
     ""},
    {"a renamed file is known by its subs",
     {{{"/a/x.py", F, 0, 0, 0}}, {{"m::compute", 1, 1, 3}}},
     {{{"/b/other.py", F, 0, 0, 0}}, {{"m::compute", 1, 1, 3}}},
     "1:1=1:1 1:2=1:2 1:3=1:3 ",
     "m::compute=m::compute "},
    {"a renamed file without subs is known by its text",
     {{{"/a/x.py", F "pass\n", 0, 0, 0}}, {{0}}},
     {{{"/b/other.py", "pass\n" F, 0, 0, 0}}, {{0}}},
     "1:1=1:2 1:2=1:3 1:3=1:4 ",
     ""},
    {"files of one name that share neither text nor subs are two",
     {{{"/a/m/x.py", F, 0, 0, 0}}, {{"m::compute", 1, 1, 3}}},
     {{{"/a/n/x.py", G, 0, 0, 0}}, {{"n::display", 1, 1, 2}}},
     "",
     ""},
    {"a line whose text stands once moved to another file; a short one and a double one did not",
     {{{"/a/x.py", "unique_line()\nx = 1\ndouble_line()\ndouble_line()\n", 0, 0, 0},
       {"/a/y.py", "", 0, 0, 0}},
      {{0}}},
     {{{"/a/x.py", "", 0, 0, 0},
       {"/a/y.py", "unique_line()\nx = 1\ndouble_line()\ndouble_line()\n", 0, 0, 0}},
      {{0}}},
     "1:1=2:1 ",
     ""},
    {"without text lines go by number, in a sub counted from its first",
     {{{"/a/x.py", NULL, 6, 0, 0}}, {{"x::f", 1, 2, 3}}},
     {{{"/a/x.py", NULL, 6, 0, 0}}, {{"x::f", 1, 4, 5}}},
     "1:1=1:1 1:2=1:4 1:3=1:5 1:6=1:6 ",
     "x::f=x::f "},
    {"a sub whose name holds a line number is known by its first line",
     {{{"/a/x.py", "call = lambda n: n + 1\n", 0, 0, 0}}, {{"x::<lambda>@1", 1, 1, 1}}},
     {{{"/a/x.py", "import os, sys\ncall = lambda n: n + 1\n", 0, 0, 0}},
      {{"x::<lambda>@2", 1, 2, 2}}},
     "1:1=1:2 ",
     "x::<lambda>@1=x::<lambda>@2 "},
    {"a sub that got another package is known by its first line and its own name",
     {{{"/a/x.py", F, 0, 0, 0}}, {{"x::A::compute", 1, 1, 3}}},
     {{{"/a/x.py", F, 0, 0, 0}}, {{"x::B::compute", 1, 1, 3}}},
     "1:1=1:1 1:2=1:2 1:3=1:3 ",
     "x::A::compute=x::B::compute "},
    {"evals of one line are paired by their text, not by their order",
     {{{"/a/x.py", "exec(source)\n", 0, 0, 0},
       {"<1>", "first_eval()\n", 0, 1, 1},
       {"<2>", "second_eval()\n", 0, 1, 1}},
      {{0}}},
     {{{"/a/x.py", "import os, sys\nexec(source)\n", 0, 0, 0},
       {"<1>", "second_eval()\n", 0, 1, 2},
       {"<2>", "first_eval()\n", 0, 1, 2}},
      {{0}}},
     "1:1=1:2 2:1=3:1 3:1=2:1 ",
     ""},
    {"a line that was edited is the same between the same neighbours, one that is not alike is not",
     {{{"/a/x.py", "first_one()\nfor x in SUFFIXES:\n    last_one()\nalpha = 1\nend()\n", 0, 0, 0}},
      {{0}}},
     {{{"/a/x.py", "first_one()\nfor x in sorted(SUFFIXES):\n    last_one()\nomega(2)\nend()\n", 0,
        0, 0}},
      {{0}}},
     "1:1=1:1 1:2=1:2 1:3=1:3 1:5=1:5 ",
     ""},
    {"an eval that is still there is not taken for the one that came instead of another",
     {{{"/a/x.py", "exec(source)\n", 0, 0, 0},
       {"<1>", "first_eval()\n", 0, 1, 1},
       {"<2>", "second_eval()\n", 0, 1, 1}},
      {{0}}},
     {{{"/a/x.py", "exec(source)\n", 0, 0, 0},
       {"<1>", "second_eval()\n", 0, 1, 1},
       {"<2>", "third_eval()\n", 0, 1, 1}},
      {{0}}},
     "1:1=1:1 3:1=2:1 ",
     ""},
    {"nor for one that came before it",
     {{{"/a/x.py", "exec(source)\n", 0, 0, 0},
       {"<1>", "second_eval()\n", 0, 1, 1},
       {"<2>", "third_eval()\n", 0, 1, 1}},
      {{0}}},
     {{{"/a/x.py", "exec(source)\n", 0, 0, 0},
       {"<1>", "fourth_eval()\n", 0, 1, 1},
       {"<2>", "third_eval()\n", 0, 1, 1}},
      {{0}}},
     "1:1=1:1 3:1=3:1 ",
     ""},
};

/* ---- Programs to profiles ---- */

static void add_file(struct bytes *b, unsigned fid, const struct file *f)
{
    add_record(b, "@uuuuuus", fid, f->eval_fid, f->eval_line, 0u, 0u, 0u, f->name);
    for (unsigned line = 1; line <= f->lines; line++)
        add_record(b, "+uuu", 10u, fid, line);
    unsigned line = 1;
    for (const char *p = f->text, *end; p && *p; p = end, line++) {
        char text[80];
        end = strchr(p, '\n') + 1;
        snprintf(text, sizeof text, "%.*s", (int)(end - p), p);
        add_record(b, "+uuu", 10u, fid, line);
        add_record(b, "Suus", fid, line, text);
    }
}

static nyt_profile *load(const struct program *program)
{
    static struct bytes b;
    const nyt_load_options options = {.keep_evals = true};
    nyt_profile *p;
    b.len = 0;
    add_header(&b);
    add_record(&b, "Puud", 7u, 1u, 1.7e9);
    for (unsigned i = 0; i < FILES && program->files[i].name; i++)
        add_file(&b, i + 1, &program->files[i]);
    for (unsigned i = 0; i < SUBS && program->subs[i].name; i++) {
        const struct sub *s = &program->subs[i];
        add_record(&b, "susuu", s->fid, s->name, s->first, s->last);
    }
    add_end(&b);
    assert_int_equal(nyt_profile_load_memory(&p, b.data, b.len, &options, NULL), NYT_OK);
    return p;
}

/* ---- Pairs to text ---- */

static void put_lines(char *text, const struct nyt_match *m)
{
    *text = '\0';
    for (size_t i = 0; i < m->half[0].place_count; i++) {
        const struct nyt_place *a = &m->half[0].places[i];
        if (a->mate == NYT_NONE)
            continue;
        const struct nyt_place *b = &m->half[1].places[a->mate];
        text += sprintf(text, "%u:%u=%u:%u ", a->fid, a->line, b->fid, b->line);
    }
}

static void put_subs(char *text, const struct nyt_match *m)
{
    *text = '\0';
    for (size_t i = 0; i < m->half[0].p->sub_count; i++) {
        uint32_t mate = m->half[0].sub_mates[i];
        if (mate != NYT_NONE)
            text += sprintf(text, "%s=%s ", m->half[0].p->subs[i].name.data,
                            m->half[1].p->subs[mate].name.data);
    }
}

static void changes_are_matched(void **state)
{
    char text[1024];
    (void)state;
    for (size_t i = 0; i < COUNT(changes); i++) {
        nyt_profile *a = load(&changes[i].before), *b = load(&changes[i].after);
        struct nyt_match m;
        print_message("%s\n", changes[i].claim);
        assert_int_equal(nyt_match_profiles(&m, a, b), NYT_OK);
        put_lines(text, &m);
        assert_string_equal(text, changes[i].lines);
        put_subs(text, &m);
        assert_string_equal(text, changes[i].subs);
        nyt_match_free(&m);
        nyt_profile_free(a);
        nyt_profile_free(b);
    }
}

static void assert_mirrored(const uint32_t *mates, size_t n, const uint32_t *back)
{
    for (uint32_t i = 0; i < n; i++)
        if (mates[i] != NYT_NONE)
            assert_int_equal(back[mates[i]], i);
}

static void pairs_are_mirrored_and_the_same_backwards(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(changes); i++) {
        nyt_profile *a = load(&changes[i].before), *b = load(&changes[i].after);
        struct nyt_match m, back;
        assert_int_equal(nyt_match_profiles(&m, a, b), NYT_OK);
        assert_int_equal(nyt_match_profiles(&back, b, a), NYT_OK);
        assert_mirrored(m.half[0].file_mates, a->file_count, m.half[1].file_mates);
        assert_mirrored(m.half[0].sub_mates, a->sub_count, m.half[1].sub_mates);
        assert_mirrored(m.half[0].file_mates, a->file_count, back.half[0].file_mates);
        assert_mirrored(m.half[0].sub_mates, a->sub_count, back.half[0].sub_mates);
        for (size_t k = 0; k < m.half[0].place_count; k++)
            assert_int_equal(m.half[0].places[k].mate, back.half[1].places[k].mate);
        nyt_match_free(&m);
        nyt_match_free(&back);
        nyt_profile_free(a);
        nyt_profile_free(b);
    }
}

static void places_are_found_by_file_and_line(void **state)
{
    nyt_profile *p = load(&changes[2].before);
    struct nyt_match m;
    (void)state;
    assert_int_equal(nyt_match_profiles(&m, p, p), NYT_OK);
    assert_int_equal(nyt_place_find(&m.half[0], 1, 4), 3);
    assert_int_equal(nyt_place_find(&m.half[0], 1, 6), NYT_NONE);
    assert_int_equal(nyt_place_find(&m.half[0], 2, 1), NYT_NONE);
    nyt_match_free(&m);
    nyt_profile_free(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(changes_are_matched),
        cmocka_unit_test(pairs_are_mirrored_and_the_same_backwards),
        cmocka_unit_test(places_are_found_by_file_and_line),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
