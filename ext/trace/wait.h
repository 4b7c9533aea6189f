/*
 * wait.h - how long a thread was ready to run while others had the processors, by the kernel's
 * own figures (/proc/self/task/ID/schedstat): Linux alone, where /proc can be read.
 */
#ifndef PYNYTPROF_TRACE_WAIT_H
#define PYNYTPROF_TRACE_WAIT_H

#include <stdbool.h>
#include <stdint.h>

/* Of that thread of this process since it began, in ns; false: not known. Some microseconds. */
bool processor_wait(uint32_t native_id, uint64_t *ns);

#endif
