/* Text -> a condition on a diff, and a smallest change; both are judged or refused with a place. */
#include "fuzz.h"

#include <stdlib.h>
#include <string.h>

static nyt_diff *the_diff;

/* Of a profile and the same with other figures. They live as long as the program. */
static nyt_profile *make_profile(uint32_t times)
{
    struct nyt_buf file = {0};
    nyt_profile *p;
    nyt_writer *w;
    const nyt_str name = {.data = "m::f", .len = 4}, scale = {.data = "ticks_per_sec", .len = 13};
    REQUIRE(nyt_writer_open_fn(&w, fuzz_keep, &file, 0, NULL) == NYT_OK);
    nyt_writer_attribute(w, scale, (nyt_str){.data = "1000", .len = 4});
    nyt_writer_pid_start(w, &(nyt_pid_start){.pid = 1, .time = 1});
    nyt_writer_new_fid(w, &(nyt_new_fid){.fid = 1, .name = {.data = "/x", .len = 2}});
    nyt_writer_sub_info(w, &(nyt_sub_info){.fid = 1, .name = name, .first = 1, .last = 2});
    nyt_writer_time_run(w, &(nyt_time){.fid = 1, .line = 1}, times, 10 * times);
    nyt_writer_sub_callers(
        w, &(nyt_sub_callers){
               .fid = 1, .line = 1, .count = times, .incl = times, .caller = name, .called = name});
    nyt_writer_pid_end(w, &(nyt_pid_end){.pid = 1, .time = 2});
    REQUIRE(nyt_writer_close(w, NULL) == NYT_OK);
    REQUIRE(nyt_profile_load_memory(&p, file.data, file.len, NULL, NULL) == NYT_OK);
    nyt_buf_free(&file);
    return p;
}

static nyt_diff *diff(void)
{
    if (!the_diff)
        REQUIRE(nyt_diff_new(&the_diff, make_profile(2), make_profile(3), NULL) == NYT_OK);
    return the_diff;
}

static void judge(const nyt_diff *d, const char *text)
{
    struct nyt_buf said = {0};
    nyt_error err = {0};
    int rc = nyt_diff_check(d, text, fuzz_keep, &said, &err);
    REQUIRE(rc == 0 || rc == 1 || rc == NYT_EAPI);
    if (rc == NYT_EAPI)
        REQUIRE(err.message[0] && err.offset <= strlen(text));
    fuzz_require_safe_text(&said, false);
    nyt_buf_free(&said);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = malloc(size + 1);
    REQUIRE(text);
    if (size)
        memcpy(text, data, size);
    text[size] = '\0';
    judge(NULL, text);
    judge(diff(), text);
    int rc = nyt_diff_min_change(text, NULL);
    REQUIRE(rc == NYT_OK || rc == NYT_EAPI);
    free(text);
    return 0;
}
