/* Which clock, and how long its unit is. */
#include "clock.h"

#include <stdio.h>
#include <string.h>

/* The kernel keeps time by the TSC only where it found it constant and in step. */
static bool tsc_is_trusted(void)
{
    char name[32] = "";
    FILE *f = fopen("/sys/devices/system/clocksource/clocksource0/current_clocksource", "r");
    if (f) {
        if (!fgets(name, sizeof name, f))
            name[0] = '\0';
        fclose(f);
    }
    return HAVE_TSC && strncmp(name, "tsc", 3) == 0 && (name[3] == '\n' || name[3] == '\0');
}

/*
 * Both clocks at one moment, as nearly as can be: of several tries the one in
 * which reading the counter took least.
 */
static void read_both(const trace_clock *c, uint64_t *units, uint64_t *ns)
{
    uint64_t best = UINT64_MAX;
    for (int i = 0; i < 5; i++) {
        uint64_t before = clock_shared(c);
        uint64_t mono = clock_ns(CLOCK_MONOTONIC);
        uint64_t after = clock_shared(c);
        if (after - before < best) {
            best = after - before;
            *units = before + best / 2;
            *ns = mono;
        }
    }
}

static double wall_clock(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_REALTIME, &ts);
    return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

void clock_begin(trace_clock *c, bool cpu)
{
    c->cpu = cpu;
    c->tsc = !cpu && tsc_is_trusted();
    read_both(c, &c->units0, &c->ns0);
    c->wall0 = wall_clock();
}

bool clock_of_thread(uint32_t native_id, uint64_t *ns)
{
#if defined(__linux__)
    /* The kernel's numbers of such clocks, which pthread_getcpuclockid() gives, too: but
     * that one wants a thread that is known to be alive. */
    enum { PER_THREAD = 4, SCHEDULED = 2 };
    clockid_t id = (clockid_t)(~native_id << 3 | PER_THREAD | SCHEDULED);
    struct timespec ts;
    if (clock_gettime(id, &ts) != 0)
        return false;
    *ns = (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
    return true;
#else
    (void)native_id;
    (void)ns;
    return false;
#endif
}

/* What the counter's unit was once found to be; 0: not known. */
static double assumed_rate;

void clock_assume_rate(double ns_per_unit)
{
    assumed_rate = ns_per_unit;
}

double clock_ns_per_unit(const trace_clock *c)
{
    enum { LEAST_NS = 2000000, ENOUGH_NS = 20000000 };  /* less, and the reading's jitter tells */
    uint64_t units, ns;
    if (!c->tsc)
        return 1.0;
    read_both(c, &units, &ns);
    if (assumed_rate > 0 && ns - c->ns0 < ENOUGH_NS)
        return assumed_rate;
    while (ns - c->ns0 < LEAST_NS)
        read_both(c, &units, &ns);
    return (double)(ns - c->ns0) / (double)(units - c->units0);
}
