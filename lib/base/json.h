/* JSON, written in one place. */
#ifndef NYT_BASE_JSON_H
#define NYT_BASE_JSON_H

#include "base/text.h"

/*
 * A JSON text in the making: {.o = ...} is an empty one. Commas come by themselves. Each function
 * writes one value: a member of an object if `key` is given (a word of ours, not escaped), else
 * an item of a list, or the value of the nyt_json_key() before it.
 */
struct nyt_json {
    struct nyt_out *o;
    bool comma; /* one belongs before what comes next */
};

void nyt_json_open(struct nyt_json *j, const char *key, char bracket);
void nyt_json_close(struct nyt_json *j, char bracket);
/* A key of foreign bytes; its value follows. */
void nyt_json_key(struct nyt_json *j, nyt_str key);
/* What comes next stands at the beginning of a line. */
void nyt_json_line(struct nyt_json *j);

/* JSON has no word for what is not finite: that becomes a string. */
void nyt_json_number(struct nyt_json *j, const char *key, double value);
void nyt_json_whole(struct nyt_json *j, const char *key, int64_t value);
void nyt_json_count(struct nyt_json *j, const char *key, uint64_t value);
void nyt_json_bool(struct nyt_json *j, const char *key, bool value);
void nyt_json_null(struct nyt_json *j, const char *key);
/* ASCII only. Bytes that are not UTF-8 all through are taken as Latin-1. */
void nyt_json_str(struct nyt_json *j, const char *key, nyt_str value);
void nyt_json_text(struct nyt_json *j, const char *key, const char *value);
/* null for NULL. */
void nyt_json_optional(struct nyt_json *j, const char *key, const nyt_str *value);

/* One string with its quotes, by itself. */
void nyt_out_json_str(struct nyt_out *o, nyt_str s);

#endif
