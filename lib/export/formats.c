/* The list of formats. */
#include "nytprof.h"

#include <string.h>

const nyt_export_format *nyt_export_formats(size_t *n)
{
    static const nyt_export_format formats[] = {
        {.name = "callgrind",
         .suffix = ".callgrind",
         .write = nyt_export_callgrind,
         .help = "subs, lines and calls for KCachegrind"},
        {.name = "collapsed",
         .suffix = ".collapsed.txt",
         .limited = true,
         .write = nyt_export_collapsed,
         .help = "call paths for flame graphs"},
        {.name = "cpuprofile",
         .suffix = ".cpuprofile",
         .limited = true,
         .write = nyt_export_cpuprofile,
         .help = "call tree and lines for VS Code and browsers"},
        {.name = "csv",
         .suffix = ".csv",
         .write = nyt_export_csv,
         .help = "lines with their figures, as one table"},
        {.name = "dot",
         .suffix = ".dot",
         .picture = true,
         .write = nyt_export_dot,
         .help = "call graph for Graphviz"},
        {.name = "json",
         .suffix = ".profile.json",
         .limited = true,
         .write = nyt_export_json,
         .help = "the whole profile for programs"},
        {.name = "lcov",
         .suffix = ".lcov",
         .write = nyt_export_lcov,
         .help = "counts of lines and subs for genhtml and editors"},
        {.name = "nytprofcsv",
         .suffix = ".nytprofcsv",
         .folder = true,
         .help = "lines of each file, a text for each, as Perl's tool writes them"},
        {.name = "pprof",
         .suffix = ".pb.gz",
         .binary = true,
         .limited = true,
         .write = nyt_export_pprof,
         .help = "call tree and lines for pprof"},
        {.name = "pstats",
         .suffix = ".pstats",
         .binary = true,
         .write = nyt_export_pstats,
         .help = "subs and their callers for Python's pstats"},
        {.name = "speedscope",
         .suffix = ".speedscope.json",
         .limited = true,
         .write = nyt_export_speedscope,
         .help = "call tree for https://www.speedscope.app"},
    };
    *n = sizeof formats / sizeof *formats;
    return formats;
}

const nyt_export_format *nyt_export_format_named(const char *name)
{
    size_t n;
    const nyt_export_format *formats = nyt_export_formats(&n);
    for (size_t i = 0; i < n; i++)
        if (strcmp(formats[i].name, name) == 0)
            return &formats[i];
    return NULL;
}
