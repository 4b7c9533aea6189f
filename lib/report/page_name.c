/* The end of a path or of a function's name tells more than its beginning, so more of it is kept. */
#include "report/page_name.h"

enum { HEAD = 500, TAIL = 1500 };

static bool continues_character(char byte)
{
    return ((unsigned char)byte & 0xc0) == 0x80;
}

struct nyt_page_name nyt_page_name(nyt_str text)
{
    if (text.len <= HEAD + TAIL)
        return (struct nyt_page_name){.head = text, .tail = {.data = ""}};
    size_t head = HEAD, tail = text.len - TAIL;
    while (head > 0 && continues_character(text.data[head]))
        head--;
    while (tail < text.len && continues_character(text.data[tail]))
        tail++;
    return (struct nyt_page_name){
        .head = {.data = text.data, .len = head},
        .tail = {.data = text.data + tail, .len = text.len - tail},
    };
}
