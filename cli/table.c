/*
 * The tables of commands and options: all there is to know about the command line. Parsing, help,
 * the manual page and completion are made from them.
 */
#include "table.h"

#include "combine.h"
#include "commands.h"
#include "message.h"
#include "page.h"
#include "show.h"
#include "top.h"
#include "verify.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* ---- Commands ---- */

enum {
    VERIFY = 1 << 0,
    DUMP = 1 << 1,
    SUMMARY = 1 << 2,
    INFO = 1 << 3,
    SPEEDSCOPE = 1 << 4,
    CONVERT = 1 << 5,
    DIFF = 1 << 6,
    MERGE = 1 << 7,
    RECOVER = 1 << 8,
    HTML = 1 << 9,
    FUNC = 1 << 10,
    SOURCE = 1 << 11,
    TREE = 1 << 12,
    EXPLAIN = 1 << 13,
    TOP = 1 << 14,
    TELLING = SUMMARY | FUNC | SOURCE | TREE,   /* to people, on a terminal */
    PRINTING = DUMP | INFO | SPEEDSCOPE | CONVERT | DIFF | TELLING | EXPLAIN, /* a loaded profile */
    LOADING = PRINTING | HTML, /* all that load a profile */
    COMBINING = MERGE | RECOVER, /* all that make a new profile */
    FILTERED = SUMMARY | TREE | EXPLAIN | FUNC | SOURCE | INFO | SPEEDSCOPE | CONVERT | DIFF | HTML,
    SECTIONED = SUMMARY | SOURCE | EXPLAIN | FUNC | CONVERT /* can do without calls */
};

static check_fn check_dump, check_convert, check_merge, check_recover, check_diff, check_html,
    check_top;

const struct command commands[] = {
    {"html", HTML, NULL, "write the report as one HTML page", check_html, command_html,
     .files = "[FILE]", .usual_file = true, .narrows = true,
     .more = "The page needs no network and no server. It is written beside the profile, under\n"
             "its name with .html at the end."},
    {"verify", VERIFY, command_verify, "check that profiles are sound and complete",
     .files = "[FILE ...]", .usual_file = true,
     .more = "Findings are fatal (Perl's tools refuse the file), warned (they complain, or\n"
             "report it wrongly) or odd (harmless, and no fault)."},
    {"summary", SUMMARY, command_summary,
     "show where the time went, and which lines and functions cost most", .files = "[FILE ...]",
     .usual_file = true, .names_files = true,
     .more = "The same as no command. Of the project is what is neither in the standard library\n"
             "nor in an installed package. Figures are self time, then with what was called\n"
             "(incl), then how often a line ran or a function was called."},
    {"func", FUNC, command_func, "show one function: its callers, its source, what it calls",
     .files = "NAME [FILE]", .takes_name = true, .usual_file = true,
     .more =
         "NAME is the name of a function, or its end (stem, Cart.add, shop::cart::Cart::add), or\n"
         "a regular expression that it matches. Where several do, these are listed."},
    {"source", SOURCE, command_source, "show the source of one file with its figures",
     .files = "NAME [FILE]", .takes_name = true, .usual_file = true,
     .more = "NAME is the path of a source file, or its end, or its number in the profile."},
    {"tree", TREE, command_tree, "show the call tree", .files = "[FILE ...]", .usual_file = true,
     .names_files = true,
     .more =
         "Recursive calls are told with the first one. Import machinery, and functions of files\n"
         "that are not shown, are told with what called them: then the rest is not all self."},
    {"explain", EXPLAIN, command_explain,
     "write a short account in Markdown, for tickets and assistants", .files = "[FILE]",
     .usual_file = true,
     .more =
         "It has one sentence, the parts of the program, the hottest lines of the project with\n"
         "their source, callers and callees, functions, and facts that stand out: as much as\n"
         "the budget holds, and always the sentence. See also 'guide'."},
    {"top", TOP, command_top, "show what costs most, again and again while the program runs",
     check_top, .files = "[FILE]", .usual_file = true,
     .more =
         "On a terminal keys switch between lines (l) and functions (f), sort by time of their\n"
         "own (s), with what was called (i) or count (c), and show the project alone or all (p);\n"
         "q ends. The program writes a new profile every few seconds (its setting snapshot), or\n"
         "at 'pynytprof ctl PID flush'. Without a terminal the profile is shown once."},
    {"info", INFO, command_info, "show what a profile is: program, processes, sizes, options",
     .files = "[FILE ...]", .usual_file = true, .names_files = true, .narrows = true},
    {"dump", DUMP, command_dump, "write every record, one per line", check_dump,
     .files = "[FILE ...]", .usual_file = true},
    {"speedscope", SPEEDSCOPE, command_speedscope,
     "write the call tree for https://www.speedscope.app", .files = "[FILE ...]",
     .usual_file = true, .narrows = true},
    {"convert", CONVERT, command_convert, "convert a profile to the format of another tool",
     check_convert, .files = "[FILE]", .usual_file = true, .narrows = true},
    {"merge", MERGE, NULL, "merge several profiles into one", check_merge, command_merge,
     .more = "Files and functions are matched by name; counts and times are added up. The order\n"
             "of the files makes no difference."},
    {"recover", RECOVER, NULL, "make a sound profile of a broken one", check_recover,
     command_recover, .files = "FILE",
     .more = "Everything before the damage is kept, and what can be read behind it. What is lost\n"
             "is reported."},
    {"diff", DIFF, NULL, "show what changed between two profiles", check_diff,
     .compare = command_diff, .narrows = true, .files = "BEFORE AFTER | BEFORE ... -- AFTER ...",
     .more = "It begins with the work that differs and where that began. Of several runs of each\n"
             "side the least times count, or the medians.\n"
             "Lines are matched by their text and functions by name, so code may move. A\n"
             "CONDITION is FIGURE>AMOUNT, or with >=, < or <=. An AMOUNT with a sign is a change\n"
             "(+5%, +10ms, +0), one without is the new value; with A&B both must be exceeded. A\n"
             "FIGURE is one of total, duration, active (seconds), calls, lines.count, KIND.new,\n"
             "KIND.gone, KIND.changed (KIND: lines, subs, edges), sub:NAME.FIELD,\n"
             "edge:CALLER->CALLED.FIELD (FIELD: incl, excl, calls), line:FILE:LINE.FIELD (FIELD:\n"
             "time, count). A sub is a function, an edge all calls from one to another. In a\n"
             "NAME, * matches anything."},
};
const size_t command_count = sizeof commands / sizeof *commands;

const char *const statuses[] = {
    [EXIT_FINE] = "success",
    [EXIT_FINDINGS] = "verify found a fault, or a condition of diff is met",
    [EXIT_USAGE] = "wrong usage",
    [EXIT_UNREADABLE] = "a file cannot be read, or is not a profile",
    [EXIT_INCOMPLETE] = "the output is incomplete or could not be written",
};
const size_t status_count = sizeof statuses / sizeof *statuses;

/* ---- Values ---- */

static const char *sort_word(size_t i)
{
    static const char *const words[] = {[NYT_SORT_TIME] = "time",
                                        [NYT_SORT_INCL] = "incl",
                                        [NYT_SORT_COUNT] = "count",
                                        [NYT_SORT_PLACE] = "place"};
    return i < sizeof words / sizeof *words ? words[i] : NULL;
}

static const char *colour_word(size_t i)
{
    static const char *const words[] = {
        [COLOUR_AUTO] = "auto", [COLOUR_ALWAYS] = "always", [COLOUR_NEVER] = "never"};
    return i < sizeof words / sizeof *words ? words[i] : NULL;
}

static const char *format_word(size_t i)
{
    size_t n;
    const nyt_export_format *formats = nyt_export_formats(&n);
    return i < n ? formats[i].name : NULL;
}

static const char *reach_word(size_t i)
{
    static const char *const words[] = {
        [NYT_REACH_ALL] = "all", [NYT_REACH_SITE] = "site", [NYT_REACH_PROJECT] = "project"};
    return i < sizeof words / sizeof *words ? words[i] : NULL;
}

static const char *take_word(size_t i)
{
    static const char *const words[] = {[NYT_TAKE_LEAST] = "least", [NYT_TAKE_MEDIAN] = "median"};
    return i < sizeof words / sizeof *words ? words[i] : NULL;
}

static const char *set_to(struct options *o, const char *argument)
{
    o->to = nyt_export_format_named(argument);
    return NULL;
}

static const char *set_max_bytes(struct options *o, const char *argument)
{
    char *end;
    errno = 0;
    o->max_bytes = strtoull(argument, &end, 10);
    bool fine = *argument >= '0' && *argument <= '9' && *end == '\0' && errno == 0;
    return fine && o->max_bytes > 0 ? NULL : "a positive number";
}

static const char *set_min_change(struct options *o, const char *argument)
{
    o->min_change = argument;
    return nyt_diff_min_change(argument, NULL) == NYT_OK ? NULL
                                                         : "a percentage and a time, as 5%,100us";
}

static const char *set_least(struct options *o, const char *argument)
{
    char *end;
    double percent = strtod(argument, &end);
    bool fine = *argument >= '0' && *argument <= '9' && *end == '\0' && percent <= 100;
    o->least = percent > 0 ? percent / 100 : 1e-12;
    return fine ? NULL : "a percentage from 0 to 100";
}

/* What is wrong with it is said by check_diff(). */
static const char *set_fail_if(struct options *o, const char *argument)
{
    if (o->condition_count == MAX_CONDITIONS)
        return "at most 100 conditions";
    o->conditions[o->condition_count++] = argument;
    return NULL;
}

static const char *add_pattern(const char **patterns, size_t *count, const char *pattern)
{
    if (*count == MAX_PATTERNS)
        return "at most 100 patterns";
    patterns[(*count)++] = pattern;
    return NULL;
}

static const char *set_only(struct options *o, const char *argument)
{
    return add_pattern(o->only, &o->filter.only_count, argument);
}

static const char *set_exclude(struct options *o, const char *argument)
{
    return add_pattern(o->exclude, &o->filter.exclude_count, argument);
}

/* ---- Options ---- */

#define AT(field) offsetof(struct options, field)

const struct option options[] = {
    {'o', "output", "FILE", PRINTING, "write to FILE, not to standard output", .text = AT(output)},
    {'o', "output", "FILE", HTML, "the page; - writes it to standard output", .text = AT(output)},
    {0, "open", NULL, HTML, "show it in the browser", .flag = AT(open)},
    {0, "compare", "FILE", HTML, "the profile of an earlier run to compare with",
     .text = AT(against)},
    {0, "max-size", "N", HTML, "write at most N bytes: leave out what took least time (5242880)",
     .set = set_max_bytes},
    {0, "perl", NULL, HTML, "run Perl's nytprofhtml instead; -o is its directory (nytprof)",
     .flag = AT(perl)},
    {'q', "quiet", NULL, HTML, "do not print the page's name", .flag = AT(quiet)},
    {'q', "quiet", NULL, VERIFY, "name only the files that have a fault", .flag = AT(quiet)},
    {'v', "verbose", NULL, VERIFY, "show all findings, also the harmless ones",
     .flag = AT(verbose)},
    {0, "json", NULL, VERIFY | SUMMARY | INFO, "write one JSON object per file",
     .flag = AT(report.json)},
    {0, "json", NULL, DIFF, "write all changes as one JSON object", .flag = AT(report.json)},
    {0, "markdown", NULL, DIFF, "write tables for pull requests", .flag = AT(markdown)},
    {0, "annotations", NULL, DIFF, "write notes at lines, as GitHub's workflows read them",
     .flag = AT(annotations)},
    {0, "jsonl", NULL, DUMP, "write each record as a JSON array", .flag = AT(jsonl)},
    {0, "model", NULL, DUMP, "write the loaded profile as one JSON object", .flag = AT(model)},
    {0, "source", "NAME", SUMMARY,
     "show the source of file NAME (the end of its path, or its fid) with its figures",
     .text = AT(name)},
    {0, "thread", "ID", SECTIONED,
     "only the lines of this thread, or process of Perl's, by its number (see info)",
     .number = AT(section)},
    {0, "process", "ID", SECTIONED, "only the lines of this process, of all of its threads",
     .number = AT(process)},
    {0, "budget", "N", EXPLAIN, "at most N bytes (4000)", .number = AT(budget)},
    {0, "focus", "NAME", TREE, "show only what is below this function (as for func)",
     .text = AT(name)},
    {0, "min", "PERCENT", TREE, "fold branches that take less of the time (1)", .set = set_least},
    {0, "json", NULL, TREE, "write the tree as one JSON object", .flag = AT(report.json)},
    {'n', "top", "N", FUNC, "callers and callees shown (10)", .number = AT(report.top)},
    {0, "all", NULL, SUMMARY, "plain lists of the lines, subs, files and calls that cost most",
     .flag = AT(report.all)},
    {0, "only", "GLOB", FILTERED, "only files whose path matches; may be repeated",
     .set = set_only},
    {0, "exclude", "GLOB", FILTERED, "no files whose path matches; may be repeated",
     .set = set_exclude},
    {0, "scope", "WHAT", FILTERED, "the project alone, or with installed packages (site)",
     .choice = AT(reach), .word = reach_word},
    {0, "unit", "GLOB", FILTERED | TOP,
     "only what ran in units of work of this name, as pynytprof.unit() gives it", .text = AT(unit)},
    {'n', "top", "N", SUMMARY, "entries per list (5 lines, 8 functions; --all: 15)",
     .number = AT(report.top)},
    {'n', "top", "N", TOP, "rows (15; on a terminal as many as fit)", .number = AT(report.top)},
    {0, "functions", NULL, TOP, "begin with functions", .flag = AT(functions)},
    {'d', "delay", "SECONDS", TOP, "look for a new profile so often (1)", .number = AT(delay)},
    {'n', "top", "N", CONVERT, "for pictures: at most N functions (40)", .number = AT(report.top)},
    {'n', "top", "N", DIFF, "entries per list (15; --json: all)", .number = AT(report.top)},
    {0, "sort", "KEY", SUMMARY | TOP, "what to sort by", .choice = AT(sort), .word = sort_word},
    {0, "sort", "KEY", DIFF, "which change to sort by", .choice = AT(sort), .word = sort_word},
    {0, "min-change", "LEAST", DIFF, "hide changes of time below LEAST (5%,100us)",
     .set = set_min_change},
    {0, "take", "WHICH", DIFF, "which times of several runs count", .choice = AT(take),
     .word = take_word},
    {0, "fail-if", "CONDITION", DIFF,
     "exit with status 1 if it is met, as total>+5%; may be repeated", .set = set_fail_if},
    {0, "width", "N", TELLING | INFO | DIFF | TOP,
     "columns ($COLUMNS, or the terminal's; otherwise nothing is cut)", .number = AT(report.width)},
    {0, "color", "WHEN", TELLING | INFO | DIFF, "use colours", .choice = AT(colour),
     .word = colour_word},
    {0, "to", "FORMAT", CONVERT, "the format, one of FORMATS", .set = set_to, .word = format_word},
    {0, "max-bytes", "N", SPEEDSCOPE | CONVERT,
     "write at most N bytes: leave out what took least time", .set = set_max_bytes},
    {0, "salvage", NULL, LOADING, "use what can be read of a damaged file", .flag = AT(salvage)},
    {0, "keep-evals", NULL, LOADING, "do not merge evals of one line that have the same source",
     .flag = AT(keep_evals)},
    {'o', "output", "FILE", COMBINING, "the new profile; it may be one of the inputs",
     .text = AT(output)},
    {'q', "quiet", NULL, COMBINING, "report only what is lost", .flag = AT(quiet)},
};
const size_t option_count = sizeof options / sizeof *options;

/* ---- Looking up ---- */

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

bool first_word(size_t i, const char **name, const char **help)
{
    static const struct {
        const char *name, *help;
    } others[] = {{"guide", "tell how to ask questions, on one page"},
                  {"completions", "write the completion script of a shell"},
                  {"help", "explain a command"}};
    if (i >= command_count + sizeof others / sizeof *others)
        return false;
    *name = i < command_count ? commands[i].name : others[i - command_count].name;
    *help = i < command_count ? commands[i].help : others[i - command_count].help;
    return true;
}

static bool is_long(const struct option *o, const char *word, size_t len)
{
    return strncmp(word, "--", 2) == 0 && strlen(o->name) + 2 == len &&
           strncmp(word + 2, o->name, len - 2) == 0;
}

static bool is_short(const struct option *o, const char *word)
{
    return word[0] == '-' && o->letter && word[1] == o->letter && (word[2] == '\0' || o->argument);
}

const struct option *find_option(const struct command *command, const char *word,
                                 const char **argument)
{
    size_t len = strcspn(word, "=");
    for (size_t i = 0; i < option_count; i++) {
        const struct option *o = &options[i];
        if (!(o->commands & command->bit))
            continue;
        if (is_long(o, word, len)) {
            *argument = word[len] == '=' ? word + len + 1 : NULL;
            return o;
        }
        if (is_short(o, word)) {
            *argument = word[2] ? word + 2 : NULL;
            return o;
        }
    }
    return NULL;
}

/* ---- Do the options agree? ---- */

static enum exit_status check_dump(struct options *o, int files)
{
    (void)files;
    if (o->jsonl && o->model)
        return usage_error(o->io, "dump", "--jsonl and --model exclude each other");
    if (o->salvage && !o->model)
        return usage_error(o->io, "dump", "--salvage applies to --model only");
    return EXIT_FINE;
}

/* A directory is not a file to be opened. */
static enum exit_status check_folder(struct options *o)
{
    if (!o->output || strcmp(o->output, "-") == 0)
        return usage_error(o->io, "convert", "%s writes one file per source; use -o DIRECTORY",
                           o->to->name);
    o->folder = o->output;
    o->output = NULL;
    return EXIT_FINE;
}

static enum exit_status check_convert(struct options *o, int files)
{
    if (!o->to)
        return usage_error(o->io, "convert", "convert requires --to FORMAT");
    if (files > 1)
        return usage_error(o->io, "convert", "convert takes exactly one file");
    if (o->max_bytes && !o->to->limited)
        return usage_error(o->io, "convert", "--max-bytes does not apply to %s", o->to->name);
    if (o->report.top && !o->to->picture)
        return usage_error(o->io, "convert", "--top does not apply to %s", o->to->name);
    if (o->to->binary && !o->output)
        return usage_error(o->io, "convert", "%s output is binary; use -o FILE", o->to->name);
    return o->to->folder ? check_folder(o) : EXIT_FINE;
}

static enum exit_status check_merge(struct options *o, int files)
{
    (void)files;
    return o->output ? EXIT_FINE : usage_error(o->io, "merge", "merge requires -o FILE");
}

static enum exit_status check_html(struct options *o, int files)
{
    if (o->perl && (o->reach || o->filter.only_count || o->filter.exclude_count))
        return usage_error(o->io, "html", "Perl's report is of the whole profile");
    return files == 1 ? EXIT_FINE : usage_error(o->io, "html", "html takes exactly one file");
}

static enum exit_status check_top(struct options *o, int files)
{
    return files == 1 ? EXIT_FINE : usage_error(o->io, "top", "top takes exactly one file");
}

static enum exit_status check_recover(struct options *o, int files)
{
    if (files != 1)
        return usage_error(o->io, "recover", "recover takes exactly one file");
    return o->output ? EXIT_FINE : usage_error(o->io, "recover", "recover requires -o FILE");
}

static enum exit_status check_diff(struct options *o, int files)
{
    nyt_error err;
    o->runs[0] = o->files_before && o->files_before < files ? o->files_before : 1;
    o->runs[1] = files - o->runs[0];
    if (files != 2 && (files < 2 || o->runs[0] != o->files_before))
        return usage_error(o->io, "diff",
                           "diff takes two files, or several runs: BEFORE ... -- AFTER ...");
    if (o->markdown && o->report.json)
        return usage_error(o->io, "diff", "--json and --markdown exclude each other");
    if (o->annotations && (o->markdown || o->report.json))
        return usage_error(o->io, "diff", "--annotations and other forms exclude each other");
    for (size_t i = 0; i < o->condition_count; i++)
        if (nyt_diff_check(NULL, o->conditions[i], NULL, NULL, &err) < 0)
            return bad_condition(o->io, o->conditions[i], &err);
    return EXIT_FINE;
}
