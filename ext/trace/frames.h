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

#if PY_VERSION_HEX >= 0x030B0000 && PY_VERSION_HEX < 0x030C0000

/* What runs, of 3.11: its code, its object if it has one, and what it returns to. */
typedef struct running_frame {
    void *function, *globals, *builtins, *locals;
    PyCodeObject *code;
    PyFrameObject *object;
    struct running_frame *back;
    const uint16_t *before_next; /* the unit before the next instruction */
} running_frame;

typedef struct {
    PyObject_HEAD
    void *back;
    const running_frame *runs;
} frame_object;

static inline const running_frame *frame_that_runs(const PyFrameObject *frame)
{
    return ((const frame_object *)(const void *)frame)->runs;
}

/* Borrowed: the frame keeps it. */
static inline PyCodeObject *frame_code(const PyFrameObject *frame)
{
    return frame_that_runs(frame)->code;
}

/* The unit of the instruction at which it is, or of that one's cache; negative: it has not begun. */
static inline int frame_unit(const PyFrameObject *frame)
{
    const running_frame *f = frame_that_runs(frame);
    return (int)(f->before_next - (const uint16_t *)(const void *)f->code->co_code_adaptive);
}

/* Whether the frame has been called by that one, of which nothing else need be true. */
static inline bool frame_called_by(const PyFrameObject *frame, const void *caller)
{
    const running_frame *back = frame_that_runs(frame)->back;
    return back && back->object == caller;
}

#elif PY_VERSION_HEX < 0x030B0000

static inline PyCodeObject *frame_code(const PyFrameObject *frame)
{
    return frame->f_code;
}

static inline int frame_unit(const PyFrameObject *frame)
{
    return frame->f_lasti;
}

static inline bool frame_called_by(const PyFrameObject *frame, const void *caller)
{
    return (const void *)frame->f_back == caller;
}

#endif

#endif
