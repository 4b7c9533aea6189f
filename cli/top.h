/* top: a profile while its program runs. */
#ifndef TOP_H
#define TOP_H

#include "options.h"

command_fn command_top;

#endif
