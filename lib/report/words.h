/* Names, places and figures as words: what the sentence, the reports and the Markdown share. */
#ifndef NYT_REPORT_WORDS_H
#define NYT_REPORT_WORDS_H

#include "base/text.h"
#include "model/profile.h"
#include "report/short_path.h"

/* Where words go, and what they are about. Everything is made safe for terminals. */
struct nyt_words {
    struct nyt_out *o;
    const nyt_profile *p;
    nyt_str folder; /* the project's: see nyt_project_folder() */
    bool markdown;  /* names and places stand in backticks */
};

struct nyt_words nyt_words_begin(struct nyt_out *o, const nyt_profile *p);

/* A sub's name as people say it: __main__ for "__main__::(module)@1", and for the body of another
 * module its name with `rest` " (module)" behind it. */
struct nyt_sub_words {
    nyt_str name;
    const char *rest;
};
struct nyt_sub_words nyt_sub_words(nyt_str name);

void nyt_put_sub(struct nyt_words *w, nyt_str name);
/* documents.py:47; without a line (0) the file alone. */
void nyt_put_place(struct nyt_words *w, uint32_t fid, uint32_t line);
/* 8.8 %, 64 % */
void nyt_put_percent(struct nyt_words *w, double part, double whole);
/* 1 time, 511,317 times */
void nyt_put_times(struct nyt_words *w, uint64_t count);
/* Were all of these calls made while the sub was at work already? */
bool nyt_is_recursive(const nyt_call *c);
/* 4.6 us, or that they were recursive. */
void nyt_put_call_time(struct nyt_words *w, const nyt_call *c);

/* Is it what a tracer calls the caller of what nobody called? */
bool nyt_is_nobody(nyt_str caller);

/* The calls that take most time, at most `max`, into `best`. Return how many they found. */
size_t nyt_top_callers(const nyt_profile *p, const nyt_sub *sub, const nyt_call **best, size_t max);
size_t nyt_top_calls_on(const nyt_profile *p, uint32_t fid, uint32_t line, const nyt_call **best,
                        size_t max);
size_t nyt_top_callees(const nyt_profile *p, const nyt_sub *sub, const nyt_call **best, size_t max);

#endif
