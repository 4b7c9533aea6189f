/* The command verify. */
#ifndef VERIFY_H
#define VERIFY_H

#include "options.h"

command_fn command_verify;

#endif
