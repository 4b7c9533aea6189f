/* A profile of some files only. */
#ifndef NYT_MODEL_NARROW_H
#define NYT_MODEL_NARROW_H

#include "model/profile.h"

/* See nyt_load_options.filter. The last step of loading. NYT_OK or NYT_ENOMEM. */
int nyt_profile_narrow(nyt_profile *p, const nyt_filter *filter);

#endif
