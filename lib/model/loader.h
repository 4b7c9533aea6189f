/* Records -> a profile, from any source. */
#ifndef NYT_MODEL_LOADER_H
#define NYT_MODEL_LOADER_H

#include "format/input.h"

int nyt_profile_load_source(nyt_profile **out, const struct nyt_source *source,
                            const nyt_load_options *options, nyt_error *err);

#endif
