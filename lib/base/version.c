/* Which version runs: that of the build, whatever header a caller was compiled with. */
#include "nytprof.h"

const char *nyt_version(void)
{
    return NYT_VERSION;
}
