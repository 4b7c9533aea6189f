/* One page that tells people and assistants how to ask this program questions. */
#include "guide.h"

#include <stdbool.h>
#include <string.h>

static const char guide[] =
    "How to ask nytprof about a profile\n"
    "\n"
    "Make one:        pynytprof SCRIPT ARGS...   |   pynytprof -m MODULE ARGS...\n"
    "                 It is nytprof.out; all that follows reads that where no FILE is named.\n"
    "Begin here:      nytprof explain FILE       Markdown, at most 4000 bytes (--budget N): where\n"
    "                                            the time went, hot lines with source, callers "
    "and\n"
    "                                            callees, functions, facts that stand out\n"
    "                 nytprof FILE               the same for people\n"
    "One function:    nytprof func NAME FILE     NAME is its end (Cart.add) or a regular "
    "expression\n"
    "One file:        nytprof source NAME FILE   every line with its figures\n"
    "Who calls whom:  nytprof tree FILE          --focus NAME, --min PERCENT, --scope project\n"
    "Only my code:    --scope project, --only 'shop/*', --exclude '*/tests/*' (summary, tree,\n"
    "                 explain); figures stay what they are\n"
    "One thread:      --thread ID, --process ID (summary, source, func, explain): its lines\n"
    "One unit:        --unit NAME for all of these: what ran in `with pynytprof.unit(NAME)`, in a\n"
    "                 request or a task that was profiled; the first screen lists them\n"
    "For programs:    nytprof summary --json FILE, nytprof tree --json FILE, and all of it with\n"
    "                 nytprof convert --to json FILE; their schemas are in docs/schema/\n"
    "After a change:  nytprof diff BEFORE AFTER  counts are exact: two runs of one deterministic\n"
    "                 program differ in times only; --fail-if 'calls>+0' for CI\n"
    "Is it sound:     nytprof verify FILE, nytprof info FILE\n"
    "\n"
    "What the figures are\n"
    "  count   how often a line ran, or a function was called: exact\n"
    "  self    time of the line or function itself; for a line, with the C functions it called\n"
    "  incl    with all that it called; of recursive calls the outermost\n"
    "  The profiler's own time is in none of them. In one thread self times add up to all time.\n"
    "\n"
    "How to read it\n"
    "  1. The sentence says which part of the program took most: project, installed packages,\n"
    "     standard library, imports, waiting. Imports are paid once; waiting costs no processor.\n"
    "  2. A hot line of the project is ranked with the libraries that it calls. Much incl and\n"
    "     little self: look at what it calls, and how often (func, tree).\n"
    "  3. High counts are the cheapest to mend: a function called once a turn of a loop, a line\n"
    "     that runs many times for each call, the same call from one place again and again.\n"
    "  4. Change one thing, profile again, and compare counts before times.\n"
    "\n"
    "Exit status: 0 fine, 1 a check failed, 2 wrong usage or a name that is not there, 3 a file\n"
    "cannot be read, 4 the output is incomplete.\n";

/* The program's name instead of nytprof's where a command begins. */
void print_guide(const struct nyt_cli_io *io)
{
    static const char name[] = "nytprof ";
    const char *text = guide, *next;
    for (; (next = strstr(text, name)); text = next + sizeof name - 1) {
        bool whole = next == guide || next[-1] == ' ';
        fwrite(text, 1, (size_t)(next - text), io->out);
        fprintf(io->out, "%s ", whole ? io->program : "nytprof");
    }
    fputs(text, io->out);
}
