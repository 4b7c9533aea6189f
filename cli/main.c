/*
 * nytprof: reads, checks, shows, compares and merges NYTProf profiles. The tables of commands and
 * options are all there is to know about the command line: parsing, help, the manual page and
 * completion are made from them.
 */
#include "table.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#ifndef _WIN32
#include <sys/ioctl.h>
#include <unistd.h>
#endif

/* ---- Commands ---- */

enum {
    VERIFY = 1 << 0,
    DUMP = 1 << 1,
    SUMMARY = 1 << 2,
    INFO = 1 << 3,
    SPEEDSCOPE = 1 << 4,
    CONVERT = 1 << 5,
    DIFF = 1 << 8,
    LOADING = DUMP | SUMMARY | INFO | SPEEDSCOPE | CONVERT | DIFF,     /* all that load a profile */
    MERGE = 1 << 6,
    RECOVER = 1 << 7,
    COMBINING = MERGE | RECOVER,                    /* all that make a new profile */
    ALL = VERIFY | LOADING | COMBINING
};

static check_fn check_convert;
static check_fn check_merge, check_recover, check_diff;

const struct command commands[] = {
    {"verify", VERIFY, command_verify, "check that profiles are sound and complete",
     .more = "Findings are fatal (Perl's tools refuse the file), warned (they complain, or\n"
             "report it wrongly) or odd (harmless, and no fault)."},
    {"summary", SUMMARY, command_summary, "show the lines, subs, files and calls that cost most"},
    {"info", INFO, command_info, "show what a profile is: program, processes, sizes, options"},
    {"dump", DUMP, command_dump, "write every record, one a line"},
    {"speedscope", SPEEDSCOPE, command_speedscope,
     "write the call tree for https://www.speedscope.app"},
    {"convert", CONVERT, command_convert, "write a profile in a format of other tools",
     check_convert, .files = "FILE"},
    {"merge", MERGE, NULL, "make one profile of many", check_merge, command_merge,
     .more = "Files and subs are matched by name, counts and times added up. The order of the\n"
             "files makes no difference."},
    {"recover", RECOVER, NULL, "make a sound profile of a broken one", check_recover,
     command_recover, .files = "FILE",
     .more = "All that comes before the damage is kept; what is lost is told."},
    {"diff", DIFF, NULL, "show what changed from one profile to another", check_diff,
     .compare = command_diff, .files = "FILE FILE",
     .more = "Lines are matched by their text, subs by name, so that code may move. A CONDITION is\n"
             "FIGURE>AMOUNT, or with >=, < or <=. An AMOUNT with a sign is a change (+5%, +10ms,\n"
             "+0), one without is the new value; all of A&B must be passed. A FIGURE is one of\n"
             "total, duration, active (seconds), calls, lines.count, KIND.new, KIND.gone,\n"
             "KIND.changed (KIND: lines, subs, edges), sub:NAME.FIELD, edge:CALLER->CALLED.FIELD\n"
             "(FIELD: incl, excl, calls), line:FILE:LINE.FIELD (FIELD: time, count). In a NAME,\n"
             "* stands for anything."},
};
const size_t command_count = sizeof commands / sizeof *commands;

/* ---- Options ---- */

static bool set_output(struct options *o, const char *argument)
{
    o->output = argument;
    return true;
}

static bool set_quiet(struct options *o, const char *argument)
{
    (void)argument;
    return o->quiet = true;
}

static bool set_verbose(struct options *o, const char *argument)
{
    (void)argument;
    return o->verbose = true;
}

static bool set_salvage(struct options *o, const char *argument)
{
    (void)argument;
    return o->salvage = true;
}

static bool set_keep_evals(struct options *o, const char *argument)
{
    (void)argument;
    return o->keep_evals = true;
}

static bool set_json(struct options *o, const char *argument)
{
    (void)argument;
    o->format = FORMAT_JSON;
    return o->report.json = true;
}

static bool set_markdown(struct options *o, const char *argument)
{
    (void)argument;
    return o->markdown = true;
}

static bool set_min_change(struct options *o, const char *argument)
{
    o->min_change = argument;
    return nyt_diff_min_change(argument, NULL) == NYT_OK;
}

/* What is wrong with it is said by check_diff(). */
static bool set_fail_if(struct options *o, const char *argument)
{
    if (o->condition_count == MAX_CONDITIONS)
        return false;
    o->conditions[o->condition_count++] = argument;
    return true;
}

static bool set_jsonl(struct options *o, const char *argument)
{
    (void)argument;
    o->format = FORMAT_JSONL;
    return true;
}

static bool set_model(struct options *o, const char *argument)
{
    (void)argument;
    o->format = FORMAT_MODEL;
    return true;
}

static bool set_source(struct options *o, const char *argument)
{
    o->source = argument;
    return true;
}

static bool parse_size(const char *text, size_t *value)
{
    char *end;
    errno = 0;
    unsigned long n = strtoul(text, &end, 10);
    *value = n;
    return *text >= '0' && *text <= '9' && *end == '\0' && errno == 0 && n > 0 && n < 1000000000;
}

static bool set_top(struct options *o, const char *argument)
{
    return parse_size(argument, &o->report.top);
}

static bool set_width(struct options *o, const char *argument)
{
    return parse_size(argument, &o->report.width);
}

static const char *sort_word(size_t i)
{
    static const char *const words[] = {[NYT_SORT_TIME] = "time", [NYT_SORT_INCL] = "incl",
                                        [NYT_SORT_COUNT] = "count", [NYT_SORT_PLACE] = "place"};
    return i < sizeof words / sizeof *words ? words[i] : NULL;
}

/* Which of its words an argument is; false: none. */
static bool find_word(word_fn *word, const char *argument, size_t *i)
{
    for (*i = 0; word(*i); ++*i)
        if (strcmp(word(*i), argument) == 0)
            return true;
    return false;
}

static bool set_sort(struct options *o, const char *argument)
{
    size_t i;
    bool found = find_word(sort_word, argument, &i);
    if (found)
        o->report.sort = (nyt_sort)i;
    return found;
}

static const char *format_word(size_t i)
{
    size_t n;
    const nyt_export_format *formats = nyt_export_formats(&n);
    return i < n ? formats[i].name : NULL;
}

static bool set_to(struct options *o, const char *argument)
{
    o->to = nyt_export_format_named(argument);
    return o->to != NULL;
}

static bool set_max_bytes(struct options *o, const char *argument)
{
    char *end;
    errno = 0;
    o->max_bytes = strtoull(argument, &end, 10);
    return *argument >= '0' && *argument <= '9' && *end == '\0' && errno == 0 && o->max_bytes > 0;
}

static bool is_terminal(FILE *out)
{
#ifdef _WIN32
    (void)out;
    return false;
#else
    return isatty(fileno(out)) == 1;
#endif
}

enum { COLOUR_AUTO, COLOUR_ALWAYS };

static const char *colour_word(size_t i)
{
    static const char *const words[] = {[COLOUR_AUTO] = "auto", [COLOUR_ALWAYS] = "always",
                                        "never"};
    return i < sizeof words / sizeof *words ? words[i] : NULL;
}

static bool set_colour(struct options *o, const char *argument)
{
    const char *no_color = getenv("NO_COLOR");
    bool may = !o->output && !(no_color && *no_color) && is_terminal(stdout);
    size_t i;
    bool found = find_word(colour_word, argument, &i);
    o->report.colour = i == COLOUR_ALWAYS || (i == COLOUR_AUTO && may);
    return found;
}

const struct option options[] = {
    {'o', "output", "FILE", LOADING, set_output, "write to FILE, not to standard output"},
    {'q', "quiet", NULL, VERIFY, set_quiet, "name only the files that have a fault"},
    {'v', "verbose", NULL, VERIFY, set_verbose, "show all findings, also the harmless ones"},
    {0, "json", NULL, VERIFY | SUMMARY | INFO, set_json, "one JSON object for each file"},
    {0, "json", NULL, DIFF, set_json, "one JSON object with all that changed"},
    {0, "markdown", NULL, DIFF, set_markdown, "tables for pull requests"},
    {0, "jsonl", NULL, DUMP, set_jsonl, "each record as a JSON array"},
    {0, "model", NULL, DUMP, set_model, "the profile as it is loaded, as one JSON object"},
    {0, "source", "NAME", SUMMARY, set_source,
     "show the source of the file NAME (its end is enough) or fid, with its figures"},
    {'n', "top", "N", SUMMARY, set_top, "entries of each list (15)"},
    {'n', "top", "N", CONVERT, set_top, "of a picture: at most N subs (40)"},
    {'n', "top", "N", DIFF, set_top, "entries of each list (15; --json: all)"},
    {0, "sort", "KEY", SUMMARY, set_sort, "what comes first", sort_word},
    {0, "sort", "KEY", DIFF, set_sort, "the change of what comes first", sort_word},
    {0, "min-change", "LEAST", DIFF, set_min_change,
     "leave out times that changed by less (5%,100us)"},
    {0, "fail-if", "CONDITION", DIFF, set_fail_if,
     "exit with 1 if it is met, as total>+5%; may be repeated"},
    {0, "width", "N", SUMMARY | INFO | DIFF, set_width, "columns (the terminal's, else 100)"},
    {0, "color", "WHEN", SUMMARY | INFO | DIFF, set_colour, "whether to use colours",
     colour_word},
    {0, "to", "FORMAT", CONVERT, set_to, "the format, one of FORMATS", format_word},
    {0, "max-bytes", "N", SPEEDSCOPE | CONVERT, set_max_bytes,
     "at most N bytes: leave out what takes least time"},
    {0, "salvage", NULL, LOADING & ~DUMP, set_salvage, "use what comes before damage"},
    {0, "keep-evals", NULL, LOADING, set_keep_evals,
     "do not merge evals of one line that have the same source"},
    {'o', "output", "FILE", COMBINING, set_output, "the new profile; it may be one of those read"},
    {'q', "quiet", NULL, COMBINING, set_quiet, "only say what is lost"},
};
const size_t option_count = sizeof options / sizeof *options;

const char *files_of(const struct command *command)
{
    return command->files ? command->files : "FILE ...";
}

bool is_format(const struct option *o)
{
    return o->word == format_word;
}

const struct command *find_command(const char *name)
{
    for (size_t i = 0; i < command_count; i++)
        if (strcmp(name, commands[i].name) == 0)
            return &commands[i];
    return NULL;
}

/* ---- Parsing ---- */

const struct option *find_option(const struct command *command, const char *word,
                                 const char **argument)
{
    size_t len = strcspn(word, "=");
    *argument = word[len] == '=' ? word + len + 1 : NULL;
    for (size_t i = 0; i < option_count; i++) {
        const struct option *o = &options[i];
        bool is_long = strncmp(word, "--", 2) == 0 && strlen(o->name) + 2 == len &&
                       strncmp(word + 2, o->name, len - 2) == 0;
        bool is_short = word[0] == '-' && o->letter && word[1] == o->letter && word[2] == '\0';
        if ((is_long || is_short) && o->commands & command->bit)
            return o;
    }
    return NULL;
}

static enum exit_status usage(const struct command *command, const char *what, const char *word)
{
    fprintf(stderr, "nytprof: %s '%s'; see: nytprof help %s\n", what, word, command->name);
    return EXIT_USAGE;
}

/* Options go into *o, everything else to the front of words; *count becomes its number. */
static enum exit_status parse(const struct command *command, char **words, int *count,
                              struct options *o)
{
    int files = 0;
    bool only_files = false;
    for (int i = 0; i < *count; i++) {
        const char *word = words[i], *argument;
        if (only_files || word[0] != '-' || word[1] == '\0') {
            words[files++] = words[i];
            continue;
        }
        only_files = strcmp(word, "--") == 0;
        if (only_files)
            continue;
        const struct option *option = find_option(command, word, &argument);
        if (!option)
            return usage(command, "there is no option", word);
        if (option->argument && !argument)
            argument = i + 1 < *count ? words[++i] : NULL;
        if (!option->argument != !argument)
            return usage(command, option->argument ? "an argument is missing after"
                                                   : "no argument is taken by", word);
        if (!option->set(o, argument))
            return usage(command, "this value cannot be", argument);
    }
    *count = files;
    return EXIT_FINE;
}

static bool is_wrong(const char *what, const char *word)
{
    fprintf(stderr, "nytprof: %s%s; see: nytprof help convert\n", word, what);
    return false;
}

/* What is a folder is no output to be opened. */
static bool check_folder(struct options *o)
{
    if (!o->output || strcmp(o->output, "-") == 0)
        return is_wrong(" is a file for each source: give -o FOLDER", o->to->name);
    o->folder = o->output;
    o->output = NULL;
    return true;
}

static bool check_convert(struct options *o, int files)
{
    if (!o->to)
        return is_wrong("convert needs --to FORMAT", "");
    if (files > 1)
        return is_wrong("convert takes one file", "");
    if (o->max_bytes && !o->to->limited)
        return is_wrong(" does not take --max-bytes", o->to->name);
    if (o->report.top && !o->to->picture)
        return is_wrong(" does not take --top", o->to->name);
    if (o->to->binary && !o->output)
        return is_wrong(" is no text: give -o FILE", o->to->name);
    return !o->to->folder || check_folder(o);
}

static bool has_output(const struct options *o, const char *command)
{
    if (!o->output)
        fprintf(stderr, "nytprof: %s needs -o FILE; see: nytprof help %s\n", command, command);
    return o->output != NULL;
}

static bool check_merge(struct options *o, int files)
{
    (void)files;
    return has_output(o, "merge");
}

static bool check_recover(struct options *o, int files)
{
    if (files > 1)
        fputs("nytprof: recover takes one FILE; see: nytprof help recover\n", stderr);
    return files == 1 && has_output(o, "recover");
}

static bool check_diff(struct options *o, int files)
{
    nyt_error err;
    if (files != 2) {
        fputs("nytprof: diff takes two files; see: nytprof help diff\n", stderr);
        return false;
    }
    for (size_t i = 0; i < o->condition_count; i++) {
        if (nyt_diff_check(NULL, o->conditions[i], NULL, NULL, &err) < 0) {
            fprintf(stderr, "nytprof: --fail-if '%s': %s (at character %llu)\n", o->conditions[i],
                    err.message, (unsigned long long)err.offset + 1);
            return false;
        }
    }
    return true;
}

static size_t terminal_width(void)
{
#if !defined(_WIN32) && defined(TIOCGWINSZ)
    struct winsize size;
    if (is_terminal(stdout) && ioctl(fileno(stdout), TIOCGWINSZ, &size) == 0)
        return size.ws_col;
#endif
    return 0;
}

static bool wants_help(int count, char **words)
{
    for (int i = 0; i < count && strcmp(words[i], "--") != 0; i++)
        if (strcmp(words[i], "-h") == 0 || strcmp(words[i], "--help") == 0)
            return true;
    return false;
}

/* ---- Running ---- */

static enum exit_status worse(enum exit_status a, enum exit_status b)
{
    return a > b ? a : b;
}

static enum exit_status run_files(const struct command *command, const struct options *o,
                                  char **files, int count, FILE *out)
{
    enum exit_status status = EXIT_FINE;
    for (int i = 0; i < count; i++)
        status = worse(status, command->run(o, files[i], out));
    return status;
}

/* What buffered output could not be written shows only now. */
static enum exit_status finish_output(const char *name, FILE *out)
{
    bool failed = fflush(out) != 0 || ferror(out);
    if (out != stdout)
        failed |= fclose(out) != 0;
    if (failed)
        fprintf(stderr, "nytprof: %s: cannot write: %s\n", name, strerror(errno));
    return failed ? EXIT_INCOMPLETE : EXIT_FINE;
}

static enum exit_status run(const struct command *command, const struct options *o, char **files,
                            int count)
{
    FILE *out = stdout;
    if (o->output && strcmp(o->output, "-") != 0)
        out = fopen(o->output, "wb");
    if (!out) {
        fprintf(stderr, "nytprof: %s: cannot open: %s\n", o->output, strerror(errno));
        return EXIT_INCOMPLETE;
    }
    enum exit_status status = command->compare ? command->compare(o, files, out)
                                               : run_files(command, o, files, count, out);
    return worse(status, finish_output(o->output ? o->output : "standard output", out));
}

static enum exit_status run_command(const struct command *command, int count, char **words)
{
    struct options o = {0};
    if (wants_help(count, words))
        return help(command->name);
    set_colour(&o, "auto");
    o.report.width = terminal_width();
    enum exit_status status = parse(command, words, &count, &o);
    if (status != EXIT_FINE)
        return status;
    if (count == 0)
        return usage(command, "no file is given to", command->name);
    if (command->check && !command->check(&o, count))
        return EXIT_USAGE;
    if (o.output)
        o.report.colour = false;
    if (command->combine)
        return command->combine(&o, words, count);
    return run(command, &o, words, count);
}

int main(int argc, char **argv)
{
    if (argc < 2) {
        fputs("usage: nytprof COMMAND [options] FILE ...; see: nytprof --help\n", stderr);
        return EXIT_USAGE;
    }
    const char *word = argv[1];
    if (strcmp(word, "--version") == 0)
        return printf("nytprof %s\n", NYT_VERSION) < 0 ? EXIT_INCOMPLETE : EXIT_FINE;
    if (strcmp(word, "help") == 0 || strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0)
        return help(argc > 2 ? argv[2] : NULL);
    if (strcmp(word, "--man") == 0)
        return print_manual(), EXIT_FINE;
    if (strcmp(word, "completions") == 0)
        return completions(argc > 2 ? argv[2] : NULL);
    if (strcmp(word, "__complete") == 0)
        return complete(argc - 2, argv + 2), EXIT_FINE;
    const struct command *command = find_command(word);
    if (!command) {
        fprintf(stderr, "nytprof: there is no command '%s'; see: nytprof --help\n", word);
        return EXIT_USAGE;
    }
    return run_command(command, argc - 2, argv + 2);
}
