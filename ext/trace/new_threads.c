/*
 * Where a thread comes by before its first frame runs: on 3.11 it takes memory for its stack
 * of frames, which CPython asks the allocator of arenas for (PyObject_SetArenaAllocator, a
 * public function; it is called some times in a second at most). 3.10 has no such stack, but
 * runs each frame through the interpreter's eval_frame, which costs a call more for each; on
 * 3.11 that would keep Python's calls from being inlined.
 */
#include "new_threads.h"

#if PY_VERSION_HEX < 0x030C0000

static thread_met *told;    /* NULL: nobody is */

static void look_at_this_thread(void)
{
    PyThreadState *here = _PyThreadState_UncheckedGet();
    if (told && here)
        told(here);
}

#if PY_VERSION_HEX >= 0x030B0000

static PyObjectArenaAllocator theirs;

static void *take_arena(void *unused, size_t size)
{
    (void)unused;
    look_at_this_thread();
    return theirs.alloc(theirs.ctx, size);
}

static void give_arena(void *unused, void *memory, size_t size)
{
    (void)unused;
    theirs.free(theirs.ctx, memory, size);
}

void new_threads_watch(thread_met *met)
{
    PyObjectArenaAllocator present, ours = {.alloc = take_arena, .free = give_arena};
    PyObject_GetArenaAllocator(&present);
    told = met;
    if (present.alloc == take_arena)
        return;
    theirs = present;
    PyObject_SetArenaAllocator(&ours);
}

/* Whoever has come after us goes on calling us, who go on calling who was there before. */
void new_threads_unwatch(void)
{
    PyObjectArenaAllocator present;
    PyObject_GetArenaAllocator(&present);
    told = NULL;
    if (present.alloc == take_arena)
        PyObject_SetArenaAllocator(&theirs);
}

#else

static _PyFrameEvalFunction theirs;
static PyInterpreterState *home;

static PyObject *run_frame(PyThreadState *thread, PyFrameObject *frame, int throws)
{
    if (told)
        told(thread);
    return theirs(thread, frame, throws);
}

void new_threads_watch(thread_met *met)
{
    home = PyInterpreterState_Get();
    _PyFrameEvalFunction present = _PyInterpreterState_GetEvalFrameFunc(home);
    told = met;
    if (present == run_frame)
        return;
    theirs = present;
    _PyInterpreterState_SetEvalFrameFunc(home, run_frame);
}

void new_threads_unwatch(void)
{
    told = NULL;
    if (_PyInterpreterState_GetEvalFrameFunc(home) == run_frame)
        _PyInterpreterState_SetEvalFrameFunc(home, theirs);
}

#endif

#endif
