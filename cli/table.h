/* Commands and options: what parsing, help, the manual page and completion are made from. */
#ifndef TABLE_H
#define TABLE_H

#include "cli.h"

/* Whether the options of a command agree; says what is wrong. */
typedef bool check_fn(struct options *o, int files);

struct command {
    const char *name;
    unsigned    bit;        /* see struct option */
    command_fn *run;        /* NULL: all files are given to `combine` or `compare` */
    const char *help;       /* one line */
    check_fn   *check;      /* NULL: any options do */
    combine_fn *combine;
    compare_fn *compare;    /* takes two files */
    const char *files;      /* what follows the options; NULL: "FILE ..." */
    const char *more;       /* a paragraph; may be NULL */
};

/* Each takes its argument, or NULL if it has none; false: the argument is no good. */
typedef bool set_fn(struct options *o, const char *argument);

/* The words that an argument may be, in order; NULL: there are no more. */
typedef const char *word_fn(size_t i);

struct option {
    char        letter;     /* 0: none */
    const char *name;
    const char *argument;   /* what it is called in the help; NULL: the option takes none */
    unsigned    commands;   /* the bits of those that have it */
    set_fn     *set;
    const char *help;
    word_fn    *word;       /* NULL: any argument may do */
};

extern const struct command commands[];
extern const size_t command_count;
extern const struct option options[];
extern const size_t option_count;

/* What each exit status means. */
extern const char *const statuses[];
extern const size_t status_count;

/* NULL: there is none. */
const struct command *find_command(const char *name);
/* The option that a word is, and what it has after a '='; both may be NULL. */
const struct option *find_option(const struct command *command, const char *word,
                                 const char **argument);
const char *files_of(const struct command *command);
/* Are its words the formats of exports? */
bool is_format(const struct option *o);

/* The words after `nytprof help` and after `nytprof completions`. */
enum exit_status help(const char *topic);
enum exit_status completions(const char *shell);

/* The manual page, in roff. */
void print_manual(void);
/* What the last of these words may become, for the scripts of completions(). */
void complete(int count, char **words);

/* Names of the shells that completions() knows. */
word_fn shell_word;

#endif
