/* control_page.h - the page of memory by which a profiled process takes orders. */
#ifndef PYNYTPROF_SESSION_CONTROL_PAGE_H
#define PYNYTPROF_SESSION_CONTROL_PAGE_H

#include <stdbool.h>
#include <stdint.h>

enum { CONTROL_PAGE_BYTES = 4096 };

/*
 * A file in memory alone, "pynytprof-control", which is open in the process that it belongs to. Who
 * may open /proc/PID/fd, which is the same user, may write an order and send the signal. The layout
 * is also that of src/pynytprof/_control.py.
 */
typedef struct {
    char magic[16];             /* CONTROL_MAGIC */
    int32_t pid, signum;        /* whose it is, and which signal makes it look; 0: none */
    uint32_t asked, answered;   /* differ: there is an order */
    char order[32];
    char answer[448];           /* "ok: ..." or "error: ..." */
    char file[CONTROL_PAGE_BYTES - 512];
} control_page;

#define CONTROL_MAGIC "pynytprof ctl 1"

/* This process takes orders for `file`, as far as that can be had: nothing fails. */
void control_page_open(const char *file, int signum);
void control_page_close(void);
/* In a forked child: the page is its own. */
void control_page_become_child(int signum);

/* NULL: none, or only one that is a parent's. */
control_page *control_page_here(void);

#endif
