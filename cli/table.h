/* Commands and options: what parsing, help, the manual page and completion are made from. */
#ifndef TABLE_H
#define TABLE_H

#include "options.h"

/* Whether the options of a command agree: EXIT_FINE, or EXIT_USAGE once it has said why not. */
typedef enum exit_status check_fn(struct options *o, int files);

struct command {
    const char *name;
    unsigned bit;     /* see struct option */
    command_fn *run;  /* NULL: all files are given to `combine` or `compare` */
    const char *help; /* one line */
    check_fn *check;  /* NULL: any options do */
    combine_fn *combine;
    compare_fn *compare;    /* takes two files */
    const char *files;      /* what follows the options; NULL: "FILE ..." */
    bool takes_name;        /* the first word is no file, but options.name */
    bool usual_file;        /* it can do without a name: see USUAL_FILE */
    bool narrows;           /* see struct options */
    bool names_files;       /* its text for people does not name the file: where there are several
                               it is put above */
    const char *more;       /* a paragraph; may be NULL */
};

/* What pynytprof writes, and what is read where no file is named. */
#define USUAL_FILE "nytprof.out"

/* Takes an argument: NULL, or what was expected instead. */
typedef const char *set_fn(struct options *o, const char *argument);

/* The words that an argument may be, in order; NULL: there are no more. */
typedef const char *word_fn(size_t i);

/* Of the offsets of fields in struct options one is given, or `set`. */
struct option {
    char letter; /* 0: none */
    const char *name;
    const char *argument; /* what it is called in the help; NULL: the option takes none */
    unsigned commands;    /* the bits of those that have it */
    const char *help;
    size_t flag;   /* a bool */
    size_t text;   /* a const char * */
    size_t number; /* a size_t, from 1 on */
    size_t choice; /* a size_t: which of its words */
    set_fn *set;
    word_fn *word; /* NULL: any argument may do */
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
/* The option that a word is, and the argument that the word ends with; both may be NULL. */
const struct option *find_option(const struct command *command, const char *word,
                                 const char **argument);
/* A word that may come first, and a line about it; false: there is no i-th one. */
bool first_word(size_t i, const char **name, const char **help);
const char *files_of(const struct command *command);
/* Are its words the formats of exports? */
bool is_format(const struct option *o);

#endif
