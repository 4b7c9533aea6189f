/* Whose code a file is: the project's, an installed package's, the language's own. */
#ifndef NYT_MODEL_SCOPE_H
#define NYT_MODEL_SCOPE_H

#include "model/profile.h"

/* By its path alone; NYT_SCOPE_PROJECT is what is nowhere else. */
nyt_scope nyt_scope_of_path(nyt_str path);

/* Is it the function that calls a unit of work under its name: pynytprof/units.py? */
bool nyt_is_around_unit(const nyt_profile *p, const nyt_file *file);

/* Is this sub the body of `with unit("name")`, whose lines are those of the function around it? Else it
 * calls the unit, as a request or a decorated function. Once calls are complete. */
bool nyt_is_unit_body(const nyt_profile *p, const nyt_sub *sub);

/*
 * Code that starts a program calls it: a console script, or what a worker was started with. Is this call
 * by such code one by way of what it starts, which was not profiled: a test's fixture, a task? Where the
 * called is what the script imports, it is its own.
 */
bool nyt_is_by_way_of_start(const nyt_profile *p, const nyt_call *call);

/* Finds that of each file, once files and sources are complete. false: out of memory. */
bool nyt_scopes_find(nyt_profile *p);

#endif
