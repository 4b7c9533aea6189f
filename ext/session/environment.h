/* environment.h - variables, in C and where the program's Python code looks for them. */
#ifndef PYNYTPROF_SESSION_ENVIRONMENT_H
#define PYNYTPROF_SESSION_ENVIRONMENT_H

/* Sets a variable, or with NULL takes it away; failures are swallowed. */
void environment_put(const char *name, const char *value);

#endif
