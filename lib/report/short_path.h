/* Paths as people read them: relative to the project, <stdlib>/ast.py, <site>/jinja2/loaders.py. */
#ifndef NYT_REPORT_SHORT_PATH_H
#define NYT_REPORT_SHORT_PATH_H

#include "model/profile.h"

/* What stands in front, and the rest of the path; both live as long as the profile. */
struct nyt_short_path {
    const char *prefix; /* "<stdlib>/", "<site>/" or "" */
    nyt_str rest;
};

/* The folder that all paths of the project have in common, with its last slash; may be empty. */
nyt_str nyt_project_folder(const nyt_profile *p);
struct nyt_short_path nyt_short_path(const nyt_profile *p, const nyt_file *file, nyt_str folder);

#endif
