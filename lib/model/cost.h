/* What each line costs the project. */
#ifndef NYT_MODEL_COST_H
#define NYT_MODEL_COST_H

#include "model/profile.h"

/*
 * Seconds for each line of the profile, in the order of nyt_profile_all_lines(): its own time, and
 * for lines of the project that of the libraries which it called, as far as these did not call the
 * project's code again, were not at work to import something, and did not wait for another thread
 * or for events. Where a library did, or where several lines of a sub call one that does, their
 * parts are estimates; the sum over a sub is not.
 * To be freed; NULL: out of memory.
 */
double *nyt_costs_to_project(const nyt_profile *p);

/*
 * The same for the code of some files (`shown` is of each file, by its place in the profile's list):
 * all else is a library to them, imports too. *lines as above; *below is for each sub what libraries
 * took below it. Both are to be freed, also after a failure. false: out of memory.
 */
bool nyt_costs_to_files(const nyt_profile *p, const bool *shown, double **lines, double **below);

#endif
