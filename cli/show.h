/* The commands that show a profile to people. */
#ifndef SHOW_H
#define SHOW_H

#include "options.h"

command_fn command_summary, command_func, command_source, command_tree, command_explain;

#endif
