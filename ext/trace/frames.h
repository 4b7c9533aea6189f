/*
 * The interpreter's own frames, as they begin on the versions that we know. Frame objects would
 * have to be made, one for each call.
 */
#ifndef PYNYTPROF_TRACE_FRAMES_H
#define PYNYTPROF_TRACE_FRAMES_H

#include "trace.h"

#if PY_VERSION_HEX >= 0x030C0000 && PY_VERSION_HEX < 0x03100000

#define HAVE_RAW_FRAMES 1

/* What runs in it (in its lowest bits 3.14 and later keep flags), and the frame it returns to. */
typedef struct raw_frame {
    uintptr_t code;
    struct raw_frame *back;
} raw_frame;

static inline const raw_frame *running_frame_of(const PyThreadState *thread)
{
#if PY_VERSION_HEX < 0x030D0000
    return (const raw_frame *)(void *)thread->cframe->current_frame;
#else
    return (const raw_frame *)(void *)thread->current_frame;
#endif
}

static inline const raw_frame *running_frame(void)
{
    return running_frame_of(PyThreadState_Get());
}

static inline bool frame_runs(const raw_frame *frame, const void *code)
{
    enum { FLAGS = 3 };
    return (frame->code & ~(uintptr_t)FLAGS) == (uintptr_t)code;
}

/* The offset of the instruction at which it is. */
static inline int frame_offset(const raw_frame *frame)
{
    return PyUnstable_InterpreterFrame_GetLasti(
        (struct _PyInterpreterFrame *)(uintptr_t)(const void *)frame);
}

#else
#define HAVE_RAW_FRAMES 0
#endif

#endif
