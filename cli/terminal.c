/* The terminal's mode and its keys, by termios and the sequences that all terminals know. */
#include "terminal.h"

#ifdef _WIN32

bool terminal_begin(FILE *in, FILE *out)
{
    (void)in, (void)out;
    return false;
}

void terminal_end(FILE *out)
{
    (void)out;
}

int terminal_key(int ms)
{
    (void)ms;
    return -1;
}

void terminal_end_as_told(void)
{
}

void terminal_size(FILE *out, size_t *rows, size_t *columns)
{
    (void)out;
    *rows = 24;
    *columns = 80;
}

#else

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

static const int ending[] = {SIGINT, SIGTERM, SIGHUP};
enum { ENDING = sizeof ending / sizeof *ending };

static struct {
    int fd;
    struct termios mode;
    struct sigaction size, end[ENDING];
} before;

static volatile sig_atomic_t told;

static void on_end(int signum)
{
    told = signum;
}

static void on_size(int signum)
{
    (void)signum;
}

/* Without SA_RESTART: poll() is to come back. */
static void catch_signals(void)
{
    struct sigaction end = {.sa_handler = on_end}, size = {.sa_handler = on_size};
    sigemptyset(&end.sa_mask);
    sigemptyset(&size.sa_mask);
    told = 0;
    sigaction(SIGWINCH, &size, &before.size);
    for (int i = 0; i < ENDING; i++)
        sigaction(ending[i], &end, &before.end[i]);
}

bool terminal_begin(FILE *in, FILE *out)
{
    before.fd = fileno(in);
    if (!isatty(fileno(out)) || !isatty(before.fd) || tcgetattr(before.fd, &before.mode) != 0)
        return false;
    struct termios keys = before.mode;
    keys.c_lflag &= ~(tcflag_t)(ICANON | ECHO | ISIG);
    keys.c_cc[VMIN] = 0;
    keys.c_cc[VTIME] = 0;
    if (tcsetattr(before.fd, TCSAFLUSH, &keys) != 0)
        return false;
    catch_signals();
    fputs("\033[?1049h\033[?25l", out); /* another screen, no cursor */
    return true;
}

void terminal_end(FILE *out)
{
    fputs("\033[?25h\033[?1049l", out);
    fflush(out);
    tcsetattr(before.fd, TCSAFLUSH, &before.mode);
    sigaction(SIGWINCH, &before.size, NULL);
    for (int i = 0; i < ENDING; i++)
        sigaction(ending[i], &before.end[i], NULL);
}

int terminal_key(int ms)
{
    enum { CTRL_C = 3 };
    struct pollfd keys = {.fd = before.fd, .events = POLLIN};
    unsigned char key;
    int ready = told ? -1 : poll(&keys, 1, ms);
    if (told || (ready < 0 && errno != EINTR))
        return -1;
    if (ready <= 0)
        return 0;
    if (read(before.fd, &key, 1) != 1)
        return -1;
    return key == CTRL_C ? -1 : key;
}

void terminal_end_as_told(void)
{
    if (told)
        raise(told);
}

void terminal_size(FILE *out, size_t *rows, size_t *columns)
{
    struct winsize size;
    bool known = ioctl(fileno(out), TIOCGWINSZ, &size) == 0 && size.ws_row && size.ws_col;
    *rows = known ? size.ws_row : 24;
    *columns = known ? size.ws_col : 80;
}

#endif
