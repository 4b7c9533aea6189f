/* The command html. */
#ifndef PAGE_H
#define PAGE_H

#include "options.h"

combine_fn command_html;

#endif
