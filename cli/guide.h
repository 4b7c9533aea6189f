/* The command guide. */
#ifndef GUIDE_H
#define GUIDE_H

#include "cli_io.h"

/* One page that tells how to ask questions. */
void print_guide(const struct nyt_cli_io *io);

#endif
