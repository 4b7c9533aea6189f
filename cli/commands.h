/* The commands that load profiles. */
#ifndef COMMANDS_H
#define COMMANDS_H

#include "options.h"

command_fn command_dump, command_info, command_speedscope, command_convert;
compare_fn command_diff;

#endif
