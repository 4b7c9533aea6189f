/* control_page.c - memory that the process shares with who opens its descriptor. */
#define _GNU_SOURCE
#include "control_page.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "output.h"

_Static_assert(sizeof(control_page) == CONTROL_PAGE_BYTES, "the layout is shared with Python");

static struct {
    control_page *page; /* NULL: there is none */
    int fd;
    dev_t dev;
    ino_t ino;
} here = {.fd = -1};

control_page *control_page_here(void)
{
    return here.page && here.page->pid == getpid() ? here.page : NULL;
}

/* The program may have closed the descriptor, and use its number. */
void control_page_close(void)
{
    struct stat st;
    if (here.page)
        munmap(here.page, CONTROL_PAGE_BYTES);
    if (here.fd >= 0 && fstat(here.fd, &st) == 0 && st.st_dev == here.dev && st.st_ino == here.ino)
        close(here.fd);
    here.page = NULL;
    here.fd = -1;
}

#ifdef MFD_CLOEXEC

/* A forked child has its parent's page: it lets go of that. */
static void make(void)
{
    struct stat st;
    control_page_close();
    int fd = output_out_of_the_way(memfd_create("pynytprof-control", MFD_CLOEXEC));
    if (fd < 0)
        return;
    void *page = ftruncate(fd, CONTROL_PAGE_BYTES) == 0 && fstat(fd, &st) == 0
                     ? mmap(NULL, CONTROL_PAGE_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0)
                     : MAP_FAILED;
    if (page == MAP_FAILED) {
        close(fd);
        return;
    }
    here.page = page;
    here.fd = fd;
    here.dev = st.st_dev;
    here.ino = st.st_ino;
    here.page->pid = getpid();
}

#else

static void make(void)
{
}

#endif

void control_page_open(const char *file, int signum)
{
    if (!control_page_here())
        make();
    if (!here.page)
        return;
    here.page->signum = signum;
    snprintf(here.page->file, sizeof here.page->file, "%s", file);
    memcpy(here.page->magic, CONTROL_MAGIC, sizeof CONTROL_MAGIC);
}

void control_page_become_child(int signum)
{
    if (here.page)
        control_page_open("", signum);
}
