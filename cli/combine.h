/* The commands that make a new profile. */
#ifndef COMBINE_H
#define COMBINE_H

#include "options.h"

combine_fn command_merge, command_recover;

#endif
