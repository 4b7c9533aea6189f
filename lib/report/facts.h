/* Facts that stand out in a profile, each as one sentence. */
#ifndef NYT_REPORT_FACTS_H
#define NYT_REPORT_FACTS_H

#include "report/insight.h"
#include "report/words.h"

/* Gets one fact: put() writes its words. */
struct nyt_fact {
    void (*put)(struct nyt_words *w, const struct nyt_fact *fact);
    const nyt_line *line;       /* what it is about, as far as it needs them */
    const nyt_call *call;
    const nyt_sub *subs[3];
    double seconds, total;
};

enum { NYT_FACTS_MOST = 10 };

/* The facts of a profile, the most telling first. Returns how many there are. `shown`: of each
 * file, by its place in the profile's list. */
size_t nyt_find_facts(const struct nyt_insight *insight, const bool *shown,
                      struct nyt_fact facts[NYT_FACTS_MOST]);

#endif
